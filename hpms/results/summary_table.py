"""Table 1: errors, iterations and seconds of groups of runs, the mean and standard deviation over the seeds."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hpms.errors import UserError, suggestion
from hpms.results.collection import DEFAULT_BY, Group, Run, group, is_problem
from hpms.results.table import scientific

_NUMBERS = ("relative_l2", "relative_h1", "iteration", "seconds")
TITLES = ("relative L²", "relative H¹", "iteration", "seconds")
MISSING = "missing"


def summary_table(
    runs: Sequence[Run],
    by: Sequence[str] | None = None,
    more: Sequence[str] = (),
    accuracy: float | None = None,
) -> tuple[list[str], list[list[str]]]:
    """Header and rows for a reader, with `more` numbers of the summary as columns.

    The numbers are those of the logged iteration of smallest residual loss, mean ± standard deviation over the finished
    runs, trapped ones included; `failed` counts the runs that did not finish or are trapped, and with an `accuracy`
    those whose bound of the relative energy error is above it, or is not there. Couplings and networks
    that never met are `missing`, and the fine FEM of each problem has a row of its own.
    """
    keys, groups = group(runs, by)
    _check(more, runs)
    rows = [
        [*map(text, g.values), *_numbers(g, more), _failed(g, accuracy)]
        for g in sorted([*groups, *_missing(keys, groups)])
    ]
    fem = [[*row[:-1], *["-"] * len(more), row[-1]] for row in _fem_rows(keys, groups)]
    return [*keys, *TITLES, *more, "failed"], rows + fem


def long_table(
    runs: Sequence[Run],
    by: Sequence[str] | None = None,
    more: Sequence[str] = (),
    accuracy: float | None = None,
) -> tuple[list[str], list[list[str]]]:
    """The same for a program: mean and deviation in columns of their own, all digits."""
    keys, groups = group(runs, by)
    _check(more, runs)
    titles = [f"{name}_{part}" for name in (*_NUMBERS, *more) for part in ("mean", "std")]
    rows = []
    for g in groups:
        numbers = [repr(v) for name in (*_NUMBERS, *more) for v in g.statistics(name)]
        rows.append([*map(text, g.values), *numbers, str(g.failures(accuracy)), str(len(g.runs)), "network"])
    for values, fem in _fem(keys, groups):
        l2, h1, seconds = (repr(float(fem[f"fem_{key}"])) for key in ("relative_l2", "relative_h1", "seconds"))
        rows.append([*values, l2, "", h1, "", "", "", seconds, "", *[""] * 2 * len(more), "", "", "fine FEM"])
    return [*keys, *titles, "failed", "runs", "method"], rows


def text(value: Any) -> str:
    """A value of the configuration in a cell."""
    return f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())


def _failed(g: Group, accuracy: float | None) -> str:
    return f"{g.failures(accuracy)} of {len(g.runs)}" + (f" ({g.running} running)" if g.running else "")


def _check(more: Sequence[str], runs: Sequence[Run]) -> None:
    """Raises `UserError` for a name that no summary has as a number."""
    known = {key for run in runs for key, value in run.summary.items() if isinstance(value, int | float | np.number)}
    for key in more:
        if key not in known:
            raise UserError(f"--columns={key} is not allowed: no run has this number.{suggestion(key, known)}")


def _numbers(g: Group, more: Sequence[str]) -> list[str]:
    if not g.finished:
        return ["-" if g.runs else MISSING] * (len(TITLES) + len(more))
    digits = 1 if g.statistics("seconds")[0] < 10 else 0
    forms = (scientific, scientific, "{:.0f}".format, f"{{:.{digits}f}}".format)
    found = [_spread(*g.statistics(name), form) for name, form in zip(_NUMBERS, forms, strict=True)]
    return found + [_spread(*g.statistics(name), scientific) for name in more]


def _spread(mean: float, deviation: float, form: Callable[[float], str]) -> str:
    if np.isnan(mean):
        return "-"
    return form(mean) if np.isnan(deviation) else f"{form(mean)} ± {form(deviation)}"


def _missing(keys: Sequence[str], groups: Sequence[Group]) -> list[Group]:
    """The combinations of coupling and network that no run has, empty, where the runs are grouped by these two."""
    if tuple(keys) != DEFAULT_BY:
        return []
    there = {g.values for g in groups}
    every = itertools.product(*(dict.fromkeys(values) for values in zip(*there, strict=True)))
    return [Group(values, ()) for values in every if values not in there]


def _fem(keys: Sequence[str], groups: Sequence[Group]) -> list[tuple[list[str], dict[str, Any]]]:
    """The fine FEM beside the networks, once for each problem, under those keys that name it."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for g in groups:
        named = [key == "experiment" or is_problem(key) for key in keys]
        shown = [text(value) if name else "" for name, value in zip(named, g.values, strict=True)]
        for run in g.runs:
            if "fem_relative_l2" in run.summary:
                names = iter(["fine FEM", ", ".join(str(run.summary["fem_method"]).split(", ")[:2])])
                values = [value or next(names, "") for value in shown]
                found.setdefault((*values, str(run.summary["fem_relative_l2"])), run.summary)
    return [(list(values[:-1]), summary) for values, summary in found.items()]


def _fem_rows(keys: Sequence[str], groups: Sequence[Group]) -> list[list[str]]:
    return [
        [
            *values,
            scientific(fem["fem_relative_l2"]),
            scientific(fem["fem_relative_h1"]),
            "-",
            f"{fem['fem_seconds']:.3f}",
            "-" if "fine FEM" in values else "fine FEM",
        ]
        for values, fem in _fem(keys, groups)
    ]
