"""Table of `small_eps.py`."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from small_eps_errors import at_most
from small_eps_figure import plot
from small_eps_problems import ACCURACIES, PROBLEMS

from hpms.results.formats import markdown
from hpms.results.run import FILE, StoredRun

METHODS = {
    "network": "network",
    "p1": "P1 elements",
    "p2": "P2 elements",
    "corrector": "homogenisation",
    "mhm": "MHM",
}


@dataclass(frozen=True)
class Result:
    """The seconds to each of `ACCURACIES`, None where it was not reached for sure, those `spent` in all (of a mesh: of
    the last one), and the relative energy `error` in the end, with how it is `known`.
    """

    seconds: Sequence[float | None]
    spent: float
    unknowns: int
    error: float
    known: str
    note: str
    compiling: float | None = None


def solved(path: Path) -> Result | None:
    """Of a method without a bound; seconds are those of the fastest mesh that is fine enough."""
    rungs = json.loads(path.read_text()) if path.exists() else []
    if not rungs:
        return None
    first = [min((r["seconds"] for r in rungs if at_most(r) <= a), default=None) for a in ACCURACIES]
    last = rungs[-1]
    known = last["known"] if last["known"] == "series" else f"{last['known']}, ± {last['off']:.1e}"
    return Result(first, last["seconds"], last["unknowns"], last["error"], known, last["note"])


def trained(run: StoredRun) -> Result:
    """Of a network, by its logged bounds; estimates do not count."""
    history = run.history()
    bounds = [
        (seconds, bound if resolved == 1 else math.inf)
        for seconds, bound, resolved in zip(
            history["elapsed_seconds"],
            history["relative_error_bound"],
            history["error_bound_resolved"],
            strict=True,
        )
    ]
    first = [next((float(seconds) for seconds, bound in bounds if bound <= a), None) for a in ACCURACIES]
    summary = run.summary
    error, known = float(summary["relative_error_bound"]), "bound" if summary["error_bound_resolved"] else "estimate"
    note = f"{summary['iterations_done']} steps" + ("" if run.status == "finished" else f", {run.status}")
    count = run.checkpoint("latest")[0].size
    return Result(
        first, float(summary["elapsed_seconds"]), count, error, known, note, float(summary["compile_seconds"])
    )


def collected(folder: Path) -> dict[str, list[Result]]:
    """All results at one ε, by method; several seeds of a network."""
    runs = [StoredRun.at(path) for path in sorted(folder.glob(f"network/seed=*/{FILE}"))]
    found = {"network": [trained(run) for run in runs if "relative_error_bound" in run.summary]}
    for method in list(METHODS)[1:]:
        result = solved(folder / f"{method}.json")
        found[method] = [result] if result else []
    return {method: results for method, results in found.items() if results}


_HEADER = [
    "problem",
    "ε",
    "method",
    *(f"{100 * accuracy:g} %: s" for accuracy in ACCURACIES),
    "compiling, s",
    "unknowns",
    "error",
    "known by",
    "",
]


def write(output: Path) -> str:
    """Writes OUTPUT/small_eps.md, .png and .pdf of all that is there, and gives the table."""
    results: dict[str, dict[float, dict[str, list[Result]]]] = {}
    for name, problem in PROBLEMS.items():
        at = {eps: collected(output / name / f"eps={eps:g}") for eps in sorted(problem.every, reverse=True)}
        if at := {eps: found for eps, found in at.items() if found}:
            results[name] = at
    rows = [
        [PROBLEMS[name].title, f"{eps:g}", METHODS[method], *_row(result)]
        for name, at in results.items()
        for eps, found in at.items()
        for method, each in found.items()
        for result in each
    ]
    text = markdown(_HEADER, rows) + "\n"
    output.mkdir(parents=True, exist_ok=True)
    (output / "small_eps.md").write_text(text)
    if results:
        plot(results, METHODS, output / "small_eps")
    return text


def _row(result: Result) -> list[str]:
    seconds = ["not reached" if each is None else _short(each) for each in result.seconds]
    compiling = "" if result.compiling is None else _short(result.compiling)
    return [*seconds, compiling, f"{result.unknowns:,}", f"{result.error:.1e}", result.known, result.note]


def _short(seconds: float) -> str:
    return f"{seconds:.3g}" if seconds < 100 else f"{seconds:.0f}"
