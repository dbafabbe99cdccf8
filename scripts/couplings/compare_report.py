"""Tables and figures of `compare.py`."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hpms.errors import UserError
from hpms.figures.style import BLUE, DASHES, VERMILLION, WIDTH, drawing, new_figure, plain
from hpms.results.run import FILE, StoredRun
from hpms.training.session import ENDED

PROBLEMS = {
    "osc1d": "osc1d, ε = 1/15",
    "osc1d_001": "osc1d, ε = 0.01",
    "osc2d": "osc2d, ε = 0.2",
    "aperiodic": "1-D, no period, ε = 1/15",
}
NETWORKS = ("mlp", "ms_pinn", "two_scale")
OPTIMIZERS = {"adam": "Adam", "gauss_newton": "Gauss-Newton"}
COUPLINGS: dict[str, tuple[str, dict[str, Any]]] = {  # and their names and styles
    "none": ("none", {"color": "0.35", "linestyle": DASHES[2]}),
    "ball": ("paper's", {"color": VERMILLION, "linestyle": DASHES[1]}),
    "consistent": ("consistent", {"color": BLUE}),
}
_ROW, _COLUMN, _DPI = 1.45, 2.4, 120  # inches, and pixels in one of a page
_TRAPPED = 0.9
CHOSEN = "overrides.txt"  # of a case, in its folder


class Case(NamedTuple):
    """What runs have in common."""

    problem: str
    network: str
    optimizer: str
    coupling: str

    def folder(self, output: Path) -> Path:
        return output.joinpath(*self)


@dataclass(frozen=True)
class Run:
    """Iterations, seconds and relative L² errors (k,) of one run, and the error at the smallest residual loss."""

    iterations: np.ndarray
    seconds: np.ndarray
    l2: np.ndarray
    final_l2: float
    status: str
    session: Mapping[str, Any]

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def failed(self) -> bool:
        return self.status != "finished" or not self.final_l2 <= _TRAPPED


def load(folder: Path) -> list[Run]:
    """The runs of one case; an ensemble's seconds are shared out."""
    directories = sorted(path.parent for path in folder.glob(f"train/*/*/seed=*/{FILE}"))
    if not directories:
        return []
    seeds, found = int((folder / CHOSEN).read_text().rpartition("ensemble=")[2]), []
    for directory in directories:
        try:
            stored = StoredRun(directory)
        except UserError:
            continue
        rows, summary = stored.rows, stored.summary
        found.append(
            Run(
                iterations=np.array([row["iteration"] for row in rows], float),
                seconds=np.array([row["elapsed_seconds"] for row in rows], float) / seeds,
                l2=np.array([row["relative_l2"] for row in rows], float),
                final_l2=float(summary.get("relative_l2", np.nan)),
                status=stored.status,
                session=stored.sessions[-1],
            )
        )
    return found


def report(runs: Mapping[Case, Sequence[Run]]) -> str:
    """Markdown."""
    text = ["# Couplings", _title([run for found in runs.values() for run in found])]
    text.append(
        "Relative L² error at the logged iteration of smallest residual loss, median over the seeds; k ✗ counts the "
        f"runs that failed: error above {_TRAPPED:g} (trapped) or not finished. All couplings of a row have the same "
        "points, iterations and, with Gauss-Newton, tau2. Bold: the smallest median of a row."
    )
    text.append(_table(runs, _median, bold_least=True))
    text += ["The same, smallest to largest:", _table(runs, _range)]
    text += ["Seconds of one run after compilation, medians:", _table(runs, _seconds)]
    return "\n\n".join(text) + "\n"


def _title(runs: Sequence[Run]) -> str:
    def every(key: str) -> str:
        return " and ".join(sorted({str(run.session[key]) for run in runs}))

    commits = " and ".join(sorted({run.session["commit"][:8] or "unknown" for run in runs}))
    return (
        f"{every('device')}, {every('cpus')} cores; hpms {every('hpms')} at commit {commits}, jax {every('jax')}, "
        f"Python {every('python')}; written {date.today()}."
    )


def _table(runs: Mapping[Case, Sequence[Run]], cell: Callable[[Sequence[Run]], str], bold_least: bool = False) -> str:
    """One for all problems; `cell` makes the text of a case that has runs, `bold_least` marks the least error."""
    lines = [["problem", "network", "optimizer", *(name for name, _ in COUPLINGS.values())]]
    lines.append(["---"] * len(lines[0]))
    for problem, network, optimizer in itertools.product(PROBLEMS, NETWORKS, OPTIMIZERS):
        found = [runs.get(Case(problem, network, optimizer, coupling), ()) for coupling in COUPLINGS]
        if not any(found):
            continue
        cells = [cell(several) if several else "missing" for several in found]
        if bold_least:
            best = int(np.argmin([_middle(several) if several else np.inf for several in found]))
            cells[best] = f"**{cells[best]}**"
        lines.append([PROBLEMS[problem], network, OPTIMIZERS[optimizer], *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _middle(runs: Sequence[Run]) -> float:
    return float(np.median([run.final_l2 for run in runs]))


def _median(runs: Sequence[Run]) -> str:
    failed = sum(run.failed for run in runs)
    return f"{_middle(runs):.1e}" + (f", {failed} ✗" if failed else "")


def _range(runs: Sequence[Run]) -> str:
    errors = [run.final_l2 for run in runs]
    return f"{min(errors):.1e} to {max(errors):.1e}"


def _seconds(runs: Sequence[Run]) -> str:
    return f"{np.median([run.seconds[-1] for run in runs if run.seconds.size]):.0f}"


def plot(runs: Mapping[Case, Sequence[Run]], against: str, path: Path) -> None:
    """A column per problem, a row per network and optimizer, a line per coupling: the median error over the seeds in a
    band from the least to the largest; writes .png and .pdf.
    """
    label, scale = ("seconds of one run", "log") if against == "seconds" else ("iteration", "linear")
    problems = [p for p in PROBLEMS if any(case.problem == p for case in runs)]
    chosen = {(case.network, case.optimizer) for case in runs}
    rows = [row for row in itertools.product(NETWORKS, OPTIMIZERS) if row in chosen]
    with drawing():
        figure = new_figure(_ROW * len(rows) + 0.9, min(WIDTH, _COLUMN * len(problems) + 0.9))
        panels = figure.subplots(len(rows), len(problems), squeeze=False, sharex=scale == "log", sharey=True)
        lines = {}
        for (network, optimizer), row in zip(rows, panels, strict=True):
            row[0].set_ylabel(f"{network}\n{OPTIMIZERS[optimizer]}")
            for problem, axes in zip(problems, row, strict=True):
                for coupling, (name, style) in COUPLINGS.items():
                    if found := runs.get(Case(problem, network, optimizer, coupling)):
                        lines[name] = _draw(axes, found, against, style)
                axes.set(xscale=scale, yscale="log")
                axes.minorticks_off()
                axes.xaxis.set_major_formatter("{x:,g}")
                plain(axes)
        for problem, axes in zip(problems, panels[0], strict=True):
            axes.set_title(PROBLEMS[problem])
        figure.supxlabel(label, fontsize="medium")
        figure.supylabel("relative L² error", fontsize="medium")
        named = [name for name, _ in COUPLINGS.values() if name in lines]
        figure.legend([lines[name] for name in named], named, loc="outside upper center", ncols=3, frameon=False)
        for suffix in (".png", ".pdf"):
            figure.savefig(path.with_suffix(suffix), dpi=_DPI)


def _draw(axes: Any, runs: Sequence[Run], against: str, style: Mapping[str, Any]) -> Any:
    """The line of one case, on a logarithmic axis from the second logged iteration on: the first is at no seconds."""
    count, first = max(len(run.l2) for run in runs), int(against == "seconds")

    def every(name: str) -> np.ndarray:
        """Of a run that ended before the others NaN."""
        return np.array([np.append(y := getattr(run, name), np.full(count - len(y), np.nan)) for run in runs])[
            :, first:
        ]

    x, y = np.nanmedian(every(against), axis=0), every("l2")
    axes.fill_between(x, np.nanmin(y, axis=0), np.nanmax(y, axis=0), color=style["color"], alpha=0.2, linewidth=0)
    (line,) = axes.plot(x, np.nanmedian(y, axis=0), **style)
    return line
