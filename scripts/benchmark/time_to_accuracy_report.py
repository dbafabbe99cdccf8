"""Tables and figure of `time_to_accuracy.py`."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fem_ladder import Rung, seconds_for

from hpms.figures.style import BLACK, BLUE, DASHES, GREEN, ORANGE, drawing, headed, new_figure, plain, save
from hpms.results.run import StoredRun

NETWORKS = ("mlp", "ms_pinn", "two_scale")
FAMILIES = {
    "first order": ("adam", "soap"),
    "quasi-Newton": ("lbfgs", "ssbroyden", "adam_then_lbfgs"),
    "least squares": ("gauss_newton", "spring"),
}
OPTIMIZERS = tuple(itertools.chain(*FAMILIES.values()))
_STYLES: dict[str, dict[str, Any]] = {  # of the families' lines
    "first order": {"color": BLUE, "linestyle": DASHES[1]},
    "quasi-Newton": {"color": ORANGE, "linestyle": DASHES[3]},
    "least squares": {"color": GREEN},
}
_FEM: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 3, "linewidth": 0.6}
_ROW, _COLUMN = 3.0, 2.4  # inches
_TIMES = (10, 30, 60, 180)
_WALL_LIMIT = "training.wall_limit"


class Case(NamedTuple):
    """What a run trains, apart from its seed."""

    problem: str
    network: str
    optimizer: str

    def folder(self, output: Path) -> Path:
        return output.joinpath(*self)


def cases(problems: Sequence[str], networks: Sequence[str], optimizers: Sequence[str]) -> Iterator[Case]:
    for problem in problems:
        for network in networks:
            yield from (Case(problem, network, optimizer) for optimizer in optimizers)


@dataclass(frozen=True)
class Curve:
    """One run: seconds (k,) and errors (k,) of its logged iterations, its end, and the FEM's row of the table."""

    seconds: np.ndarray
    l2: np.ndarray
    h1: np.ndarray
    iterations: int
    parameters: int
    compile_seconds: float
    end_seconds: float
    end: str
    fem: tuple[str, ...]
    session: dict[str, Any]

    def best(self, seconds: float) -> float:
        """The smallest L² error until then; NaN where nothing was logged so soon, or the run was cut off before."""
        if self.end == _WALL_LIMIT and self.end_seconds < seconds - 0.01:
            return float("nan")
        return float(np.fmin.reduce(self.l2[self.seconds <= seconds], initial=np.nan))


def curve(directory: Path) -> Curve:
    """The run in a directory."""
    stored = StoredRun(directory)
    rows, summary = stored.rows, stored.summary
    return Curve(
        *(np.array([row[k] for row in rows], float) for k in ("elapsed_seconds", "relative_l2", "relative_h1")),
        iterations=int(summary["iterations_done"]),
        parameters=stored.checkpoint("latest")[0].size,
        compile_seconds=float(summary["compile_seconds"]),
        end_seconds=float(summary["elapsed_seconds"]),
        end=ending(stored),
        fem=(
            str(summary["fem_method"]),
            _error(summary["fem_relative_l2"]),
            _error(summary["fem_relative_h1"]),
            _seconds(summary["fem_seconds"]),
        ),
        session=stored.sessions[-1],
    )


def ending(stored: StoredRun) -> str:
    """Why a run ended."""
    reason = str(stored.summary.get("reason", ""))
    return _WALL_LIMIT if reason.startswith(_WALL_LIMIT) else reason or stored.status


def report(
    curves: Mapping[Case, Sequence[Curve]], refused: Mapping[Case, str], ladders: Mapping[str, Sequence[Rung]]
) -> str:
    """All tables, in Markdown."""
    text = ["# Time to accuracy", _title([run for found in curves.values() for run in found])]
    text += [
        "Medians over the seeds. The columns of seconds are the best relative L² error so far, after compilation (-: "
        "nothing was logged so soon, or the run was cut off before); final errors are those of the last logged "
        "iteration. The last column is the time in which P1 elements reach the run's best L² error."
    ]
    for problem, rungs in ladders.items():
        text += [f"## {problem}", _table(problem, curves, refused, rungs)]
    return "\n\n".join(text) + "\n"


def _title(curves: Sequence[Curve]) -> str:
    """Where, with what and when the runs were made."""
    sessions = [run.session for run in curves]

    def every(key: str) -> str:
        return " and ".join(sorted({str(session[key]) for session in sessions}))

    commits = " and ".join(sorted({s["commit"][:8] + s["commit"][40:] or "unknown" for s in sessions}))
    days = sorted({session["started"][:10] for session in sessions})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return (
        f"{every('device')}, {every('cpus')} cores; hpms {every('hpms')} at commit {commits}, jax {every('jax')}, "
        f"Python {every('python')}; trained {when}, written {date.today()}."
    )


def _table(
    problem: str, curves: Mapping[Case, Sequence[Curve]], refused: Mapping[Case, str], rungs: Sequence[Rung]
) -> str:
    times = [f"{t} s" for t in _TIMES]
    header = ["network", "optimizer", "P", *times, "final L²", "final H¹", "iterations", "compiling, s", "runs, end"]
    header += ["P1 FEM of equal L², s"]
    lines = [header, ["---", "---", *["--:"] * (len(header) - 4), "---", "--:"]]
    for case in cases([problem], list(NETWORKS), list(OPTIMIZERS)):
        if case in curves:
            lines.append([case.network, case.optimizer, *_numbers(curves[case], rungs)])
        elif case in refused:
            blank = [""] * (len(header) - 4)
            lines.append([case.network, case.optimizer, *blank, f"cannot run: {refused[case]}", ""])
    blank = [""] * len(times)
    for how, l2, h1, seconds in {run.fem: None for c, found in curves.items() if c.problem == problem for run in found}:
        lines.append(["P1 FEM", f"of run.h5: {how}", "", *blank, l2, h1, "", "", "", seconds])
    for rung in rungs:
        errors = [_error(rung.l2), _error(rung.h1), "", "", "", _seconds(rung.seconds)]
        lines.append(["P1 FEM", f"h = 1/{rung.cells}", str(rung.unknowns), *blank, *errors])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _numbers(curves: Sequence[Curve], rungs: Sequence[Rung]) -> list[str]:
    """The medians of a case."""

    def median(values: list[float]) -> float:
        return float(np.median(values))

    errors = [median([run.best(t) for run in curves]) for t in _TIMES]
    errors += [median([run.l2[-1] for run in curves]), median([run.h1[-1] for run in curves])]
    least = median([np.fmin.reduce(run.l2) for run in curves])
    ends = Counter(run.end for run in curves)
    return [
        str(curves[0].parameters),
        *map(_error, errors),
        f"{median([run.iterations for run in curves]):.0f}",
        f"{median([run.compile_seconds for run in curves]):.1f}",
        ", ".join(f"{count} × {end}" for end, count in ends.items()),
        seconds_for(least, rungs),
    ]


def _error(value: float) -> str:
    return f"{value:.2e}" if np.isfinite(value) else "-"


def _seconds(value: float) -> str:
    return f"{value:.2g}"


def plot(curves: Mapping[Case, Sequence[Curve]], ladders: Mapping[str, Sequence[Rung]], path: Path) -> None:
    """A row per problem, a column per network, and of each family of optimizers the one whose median error is the
    smallest at last: the best error so far, median over the seeds; writes .png and .pdf.

    The FEM's errors go on below what is shown.
    """
    networks = [name for name in NETWORKS if any(case.network == name for case in curves)]
    with drawing():
        figure = new_figure(_ROW * len(ladders), max(_COLUMN * len(networks), 3.4))
        panels = figure.subplots(len(ladders), len(networks), squeeze=False, sharex=True, sharey="row")
        for (problem, rungs), row in zip(ladders.items(), panels, strict=True):
            lowest = 1.0
            for network, axes in zip(networks, row, strict=True):
                for family, (optimizer, seconds, best) in _best(curves, problem, network).items():
                    axes.plot(seconds, best, label=f"{family}: {optimizer}", drawstyle="steps-post", **_STYLES[family])
                    lowest = min([lowest, *best])
                axes.plot(*zip(*((rung.seconds, rung.l2) for rung in rungs), strict=True), label="P1 elements", **_FEM)
                axes.set(xscale="log", yscale="log")
                axes.minorticks_off()
                plain(axes)
                headed(axes, f"{problem}, {network}", columns=1)
            row[0].set_ylim(bottom=max(row[0].get_ylim()[0], lowest / 20))
        figure.supxlabel("seconds after compilation", fontsize="medium")
        figure.supylabel("relative L² error, best so far", fontsize="medium")
        save(figure, path.parent, path.stem, ("png", "pdf"))


def _best(
    curves: Mapping[Case, Sequence[Curve]], problem: str, network: str
) -> dict[str, tuple[str, np.ndarray, np.ndarray]]:
    """By family: an optimizer, seconds and errors."""
    found = {}
    for family, optimizers in FAMILIES.items():
        here = [(o, *median_curve(curves[case])) for o in optimizers if (case := Case(problem, network, o)) in curves]
        if here:
            found[family] = min(here, key=lambda one: np.append(np.inf, one[2])[-1])
    return found


def median_curve(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """At every second at which a run logged: the median over the runs that had logged, which keep their last error."""
    seconds = np.unique(np.concatenate([run.seconds for run in curves]))
    best = []
    for run in curves:
        least = np.concatenate([[np.nan], np.fmin.accumulate(run.l2)])
        best.append(least[np.searchsorted(run.seconds, seconds, side="right")])
    known = ~np.isnan(best).all(axis=0)
    return seconds[known], np.nanmedian(np.array(best)[:, known], axis=0)
