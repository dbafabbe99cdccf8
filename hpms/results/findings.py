"""What the paper says in words, against runs: Section 4.4, Table 1 and Figs. 1-3."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hpms.results.collection import Run, varying
from hpms.results.valid import FAILED
from hpms.training.session import ENDED

SHOWN, CONTRADICTED, OPEN = "shown", "contradicted", "cannot be shown"
_FORMULAS = {
    "osc1d": ("2+sin(2*pi*x1/eps)", "-3*(2*x1-1)"),
    "osc2d": ("3+sin(pi*x1/eps)+sin(2*pi*x2/eps)", "10*exp(-100*((x1-0.5)**2+(x2-0.5)**2))"),
}
_EARLY = 0.2  # of the iterations
_TRAPPED_UNTIL = 75_000
_LONG = 20_000  # iterations; shorter runs say nothing of the paper's, for or against


@dataclass(frozen=True)
class Verdict:
    """A sentence of the paper, whether the runs show it, and their numbers."""

    claim: str
    verdict: str
    numbers: str


Cells = dict[tuple[str, str], list[Run]]  # the runs that ended, by coupling and network
Judge = Callable[[Cells], tuple[bool | None, str]]


def findings(runs: Sequence[Run]) -> list[Verdict]:
    """The claims about each of the paper's problems that is among the runs (with Adam)."""
    found = []
    for name, claims in (("osc1d", _ONE), ("osc2d", _TWO)):
        here = [run for run in runs if _is(run, *_FORMULAS[name]) and run.keys["optimizer"] == "adam"]
        here = [run for run in here if run.stored.parent is None]
        here = [run for run in here if "relative_l2" in run.summary or run.keys.get("reference") != "none"]
        every = sorted({run.keys["problem.eps"] for run in here}, reverse=True)
        for claim, eps, judge in claims:
            for at in every if eps is None else [eps] if here else []:
                cells: Cells = {}
                for run in here:
                    if abs(run.keys["problem.eps"] - at) < 1e-9 and run.stored.status in (*ENDED, FAILED):
                        cells.setdefault((run.keys["coupling"], run.keys["network"]), []).append(run)
                differ = sorted({key for cell in cells.values() for key in varying(cell)})
                holds, numbers = (None, f"these runs differ in {', '.join(differ)}") if differ else judge(cells)
                verdict = OPEN if holds is None else SHOWN if holds else CONTRADICTED
                found.append(Verdict(f"{name}, ε = {at:.3g}: {claim}", verdict, numbers))
    return found


def _compare(key: str, network: str, less: bool, form: str) -> Judge:
    """Whether the hybrid's mean of a number is less (or more) than the plain one's."""

    def judge(cells: Cells) -> tuple[bool | None, str]:
        means = [_mean(cells.get((coupling, network), []), key) for coupling in ("ball", "none")]
        if not np.isfinite(means).all():
            return None, "no such runs"
        hybrid, plain = means
        if hybrid == plain:
            return None, f"both {hybrid:{form}}"
        runs = [*cells["ball", network], *cells["none", network]]
        return _if_long(bool(hybrid < plain) == less, f"hybrid {hybrid:{form}}, plain {plain:{form}}", runs)

    return judge


def _is(run: Run, coefficient: str, source: str) -> bool:
    """Whether a run solves the paper's problem."""
    found = (str(run.keys.get(f"{group}.formula", "")).replace(" ", "") for group in ("coefficient", "source"))
    return tuple(found) == (coefficient, source)


def _mean(runs: Sequence[Run], key: str) -> float:
    """Over those that finished."""
    values = [
        _early_error(run) if key == "early" else run.seconds if key == "seconds" else run.number(key)
        for run in runs
        if run.finished
    ]
    return float(np.mean(values)) if values else float("nan")


def _longest(runs: Sequence[Run]) -> int:
    return max((int(run.summary["iterations_done"]) for run in runs if run.finished), default=0)


def _if_long(holds: bool, numbers: str, runs: Sequence[Run]) -> tuple[bool | None, str]:
    """No verdict where the runs were to be shorter than what the claim is about."""
    asked = min(int(run.keys["training.iterations"]) for run in runs)
    return (holds, numbers) if asked >= _LONG else (None, f"{numbers}, in {asked} iterations")


def _early_error(run: Run) -> float:
    """The relative L² error after a fifth of the iterations."""
    wanted = _EARLY * run.keys["training.iterations"]
    return float(min(run.stored.rows, key=lambda row: abs(row["iteration"] - wanted))["relative_l2"])


def _failures(coupling: str, network: str, most: bool) -> Judge:
    """Whether most runs are trapped at their end, or none."""

    def judge(cells: Cells) -> tuple[bool | None, str]:
        runs = cells.get((coupling, network), [])
        count = sum(run.failed for run in runs)
        if not runs:
            return None, "no such runs"
        return _if_long(count > len(runs) / 2 if most else count == 0, f"{count} of {len(runs)} runs failed", runs)

    return judge


def _trapped(cells: Cells) -> tuple[bool | None, str]:
    runs = cells.get(("none", "mlp"), [])
    longest = _longest(runs)
    if longest < _TRAPPED_UNTIL:
        return None, f"the longest run has {longest} iterations"
    early = [row["relative_l2"] for run in runs for row in run.stored.rows if row["iteration"] <= _TRAPPED_UNTIL]
    return min(early) > 0.9, f"smallest relative L² error until then {min(early):.2g}"


def _level(coupling: str, low: float, high: float) -> Judge:
    """Whether the error of the Ms-PINN ends between two numbers."""

    def judge(cells: Cells) -> tuple[bool | None, str]:
        runs = cells.get((coupling, "ms_pinn"), [])
        error, longest = _mean(runs, "relative_l2"), _longest(runs)
        if np.isnan(error):
            return None, "no such runs"
        holds = low <= error <= high if longest >= _LONG else None
        return holds, f"relative L² error {error:.2e} at {longest} iterations"

    return judge


_Claims = list[tuple[str, float | None, Judge]]  # what, the ε that it is about if it is about one, and how to tell
_ONE: _Claims = [
    ("the hybrid Ms-PINN stagnates near 0.3 (Fig. 1c)", 1 / 15, _level("ball", 0.2, 0.45)),
    ("the plain Ms-PINN reaches about 1e-2 (Fig. 1c)", 1 / 15, _level("none", 2e-3, 5e-2)),
    ("the hybrid Ms-PINN ends near 0.1 (Fig. 2c)", 0.01, _level("ball", 0.03, 0.3)),
    ("the hybrid Ms-PINN is better than the plain one", 0.01, _compare("relative_l2", "ms_pinn", True, ".2e")),
]
_TWO: _Claims = [
    ("most plain MLP runs fail", None, _failures("none", "mlp", most=True)),
    ("the plain MLP is trapped for some 75,000 iterations", None, _trapped),
    ("the hybrid MLP is robust on all seeds", None, _failures("ball", "mlp", most=False)),
    ("the hybrid MLP has the smaller error", None, _compare("relative_l2", "mlp", True, ".2e")),
    ("the hybrid Ms-PINN converges faster early", None, _compare("early", "ms_pinn", True, ".2e")),
    ("the hybrid Ms-PINN needs slightly more iterations", None, _compare("iteration", "ms_pinn", False, ".0f")),
    ("the hybrid Ms-PINN takes more time", None, _compare("seconds", "ms_pinn", False, ".0f")),
]
