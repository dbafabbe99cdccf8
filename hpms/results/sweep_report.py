"""The table at the end of a sweep."""

from collections.abc import Sequence
from pathlib import Path

from hpms.errors import UserError
from hpms.job import Job
from hpms.results.collection import Run
from hpms.results.run import FILE, StoredRun
from hpms.results.run_list import OUTCOME, outcome
from hpms.results.table import table


def sweep_report(planned: Sequence[tuple[str, ...]], ended: Sequence[Job | None]) -> str:
    """A row for each job (each run of a job that trained several), and below it the failures with their reasons."""
    places = _varying(planned)
    swept = [planned[0][i].split("=", 1)[0].lstrip("+") for i in places] if planned else []
    header = ["job", *swept, *OUTCOME]
    rows = []
    for number, (overrides, job) in enumerate(zip(planned, ended, strict=True)):
        values = [overrides[i].split("=", 1)[1] for i in places]
        rows += [[str(number), *values, *cells] for cells in _cells(job)]
    failures = [_failure(i, [planned[i][k] for k in places], job) for i, job in enumerate(ended) if failed(job)]
    count = f"{len(planned) - len(failures)} of {len(planned)} jobs ended well"
    return "\n".join([table(header, rows), "", f"{count}." if not failures else f"{count}; these did not:", *failures])


def failed(job: Job | None) -> bool:
    return job is None or job.code != 0


def _failure(number: int, values: Sequence[str], job: Job | None) -> str:
    reason = "it was stopped before it ended, or runs on elsewhere" if job is None else job.message
    return f"  job {number}{' (' + ' '.join(values) + ')' if values else ''}: {reason}"


def _cells(job: Job | None) -> list[list[str]]:
    if job is None:
        return [_only("did not end")]
    runs = [Path(path) for path in job.paths if Path(path).name == FILE]
    return [_run(path) for path in runs] or [_only("failed" if job.code else "finished")]


def _run(path: Path) -> list[str]:
    try:
        return outcome(Run(StoredRun(path.parent)))
    except UserError:
        return _only("unreadable")


def _only(status: str) -> list[str]:
    return [status, *["-"] * (len(OUTCOME) - 1)]


def _varying(jobs: Sequence[Sequence[str]]) -> list[int]:
    """The places in a job's overrides that differ between jobs."""
    return [i for i, values in enumerate(zip(*jobs, strict=True)) if len(set(values)) > 1]
