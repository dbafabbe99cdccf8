"""The table at the end of a sweep."""

from collections.abc import Sequence
from pathlib import Path

from hpms.errors import UserError
from hpms.results.run import FILE, StoredRun
from hpms.results.table import scientific, table
from hpms.sweep import Job, varying

MISSING = "did not end"


def sweep_report(planned: Sequence[tuple[str, ...]], ended: Sequence[Job | None]) -> str:
    """A row for each job (each run of a job that trained several), and below it the failures with their reasons."""
    places = varying(planned)
    swept = [planned[0][i].split("=", 1)[0].lstrip("+") for i in places] if planned else []
    header = ["job", *swept, "status", "relative L²", "relative H¹", "iteration", "seconds"]
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
        return [[MISSING, "-", "-", "-", "-"]]
    runs = [Path(path) for path in job.paths if Path(path).name == FILE]
    return [_run(path) for path in runs] or [["failed" if job.code else "finished", "-", "-", "-", "-"]]


def _run(path: Path) -> list[str]:
    try:
        stored = StoredRun(path.parent)
    except UserError:
        return ["unreadable", "-", "-", "-", "-"]
    summary = stored.summary
    if "relative_l2" not in summary:
        return [stored.status, "-", "-", "-", "-"]
    errors = [scientific(summary[key]) for key in ("relative_l2", "relative_h1")]
    return [stored.status, *errors, str(summary["iteration"]), f"{summary['wall_seconds']:.1f}"]
