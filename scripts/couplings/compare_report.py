"""Tables and figures of `compare.py`."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hpms.errors import UserError
from hpms.results.run import FILE, StoredRun
from hpms.training.session import ENDED

PROBLEMS = {
    "osc1d": "osc1d, ε = 1/15",
    "osc1d_001": "osc1d, ε = 0.01",
    "osc2d": "osc2d, ε = 0.2",
    "aperiodic": "1-D, no period, ε = 1/15",
}
NETWORKS = {"mlp": "-", "ms_pinn": (0, (5, 1.5)), "two_scale": (0, (1, 1.2))}  # and their line styles
OPTIMIZERS = {"adam": "Adam", "gauss_newton": "Gauss-Newton"}
COUPLINGS = {  # and their names and colours
    "none": ("none", "#666666"),
    "ball": ("paper's", "#D55E00"),
    "consistent": ("consistent", "#0072B2"),
}
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
    """A column per problem, a row per optimizer: the median error over the seeds; writes .png and .pdf."""
    from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]
    from matplotlib.lines import Line2D  # pyright: ignore[reportMissingImports]

    problems = [p for p in PROBLEMS if any(case.problem == p for case in runs)]
    optimizers = [o for o in OPTIMIZERS if any(case.optimizer == o for case in runs)]
    size = (2.6 * max(2, len(problems)) + 0.6, 2.4 * len(optimizers) + 1.1)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(optimizers), len(problems), squeeze=False, sharey="col")
    for row, optimizer in enumerate(optimizers):
        for axes, problem in zip(panels[row], problems, strict=True):
            for case, found in runs.items():
                whole = [run for run in found if run.status == "finished"]
                if (case.problem, case.optimizer) != (problem, optimizer) or not whole:
                    continue
                count = min(len(run.l2) for run in whole)
                x = np.median([getattr(run, against)[:count] for run in whole], axis=0)
                y = np.median([run.l2[:count] for run in whole], axis=0)
                axes.plot(x, y, color=COUPLINGS[case.coupling][1], linestyle=NETWORKS[case.network], linewidth=1.3)
            axes.set(yscale="log")
            axes.grid(which="major", color="0.9", linewidth=0.6)
            axes.spines[["top", "right"]].set_visible(False)
            axes.locator_params(axis="x", nbins=4)
            if row == 0:
                axes.set_title(PROBLEMS[problem], fontsize="medium")
            if row == len(optimizers) - 1:
                axes.set_xlabel(against + (" of one run" if against == "seconds" else ""))
        panels[row, 0].set_ylabel(f"{OPTIMIZERS[optimizer]}\nrelative L² error")
    shown = {name: Line2D([], [], color=colour, linewidth=2) for name, colour in COUPLINGS.values()}
    shown |= {name: Line2D([], [], color="0.3", linestyle=style) for name, style in NETWORKS.items()}
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=4, frameon=False, fontsize="small")
    for suffix in (".png", ".pdf"):
        figure.savefig(path.with_suffix(suffix), dpi=200)
