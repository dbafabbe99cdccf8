"""Tables and figure of `time_to_accuracy.py`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fem_ladder import Rung, seconds_for

from hpms.results.run import StoredRun

NETWORKS = {"mlp": "-", "ms_pinn": (0, (5, 1.5)), "two_scale": (0, (1, 1.2))}  # and their line styles
OPTIMIZERS = {  # and their colours and markers
    "adam": ("#56B4E9", "o"),
    "soap": ("#0072B2", "s"),
    "lbfgs": ("#E69F00", "^"),
    "ssbroyden": ("#D55E00", "v"),
    "gauss_newton": ("#009E73", "D"),
    "spring": ("#8A8A00", "P"),
    "adam_then_lbfgs": ("#CC79A7", "X"),
}
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
    """One panel per problem: the median over the seeds of the best error so far; writes .png and .pdf.

    The FEM's errors go on below what is shown.
    """
    from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]
    from matplotlib.lines import Line2D  # pyright: ignore[reportMissingImports]

    line: dict[str, Any] = {"linewidth": 1.3, "drawstyle": "steps-post"}
    point: dict[str, Any] = {"markersize": 6, "markeredgecolor": "white", "markeredgewidth": 0.6}
    figure = Figure(figsize=(3.7 * max(1.4, len(ladders)), 4.4), layout="constrained")
    panels = figure.subplots(1, len(ladders), squeeze=False)[0]
    for axes, (problem, rungs) in zip(panels, ladders.items(), strict=True):
        lowest = 1.0
        for case, found in curves.items():
            if case.problem == problem:
                colour, marker = OPTIMIZERS[case.optimizer]
                seconds, best = median_curve(found)
                axes.plot(seconds, best, color=colour, linestyle=NETWORKS[case.network], **line)
                axes.plot(seconds[-1:], best[-1:], marker, color=colour, **point)
                lowest = min([lowest, *best])
        axes.plot([rung.seconds for rung in rungs], [rung.l2 for rung in rungs], "ko", markersize=4.5)
        axes.set(xscale="log", yscale="log", title=problem, xlabel="seconds after compilation")
        axes.set_ylim(bottom=max(axes.get_ylim()[0], lowest / 20))
        axes.grid(which="major", color="0.9", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("relative L² error, best so far")
    used = [name for name in OPTIMIZERS if any(case.optimizer == name for case in curves)]
    shown = {name: Line2D([], [], color=OPTIMIZERS[name][0], marker=OPTIMIZERS[name][1], **point) for name in used}
    shown["P1 FEM"] = Line2D([], [], color="black", marker="o", linestyle="", markersize=4.5)
    rows = len(NETWORKS)
    shown |= {" " * i: Line2D([], [], linestyle="") for i in range(-len(shown) % rows)}
    shown |= {name: Line2D([], [], color="0.3", linestyle=style) for name, style in NETWORKS.items()}
    figure.legend(
        shown.values(),
        shown.keys(),
        loc="outside lower center",
        ncols=len(shown) // rows,
        frameon=False,
        fontsize="small",
        handlelength=2.6,
    )
    for suffix in (".png", ".pdf"):
        figure.savefig(path.with_suffix(suffix), dpi=200)


def median_curve(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """At every second at which a run logged: the median over the runs that had logged, which keep their last error."""
    seconds = np.unique(np.concatenate([run.seconds for run in curves]))
    best = []
    for run in curves:
        least = np.concatenate([[np.nan], np.fmin.accumulate(run.l2)])
        best.append(least[np.searchsorted(run.seconds, seconds, side="right")])
    known = ~np.isnan(best).all(axis=0)
    return seconds[known], np.nanmedian(np.array(best)[:, known], axis=0)
