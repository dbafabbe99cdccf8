"""The figure of several runs: errors and residual loss of groups that differ in the seed alone."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hpms.figures.history import ERRORS
from hpms.figures.record import Record, record
from hpms.figures.style import (
    CYCLE,
    DASHES,
    MARKERS,
    WIDTH,
    along_iterations,
    draw_level,
    drawing,
    epsilon,
    headed,
    new_figure,
    plain,
    save,
    seconds,
)
from hpms.results.collection import DEFAULT_BY, Group, Run, group, is_problem, telling
from hpms.results.outcome import KINDS, kind

NAME = "errors"
_ROW, _COLUMN, _LEGEND_LINE, _MOST_TEXT, _LONG, _FAR = 2.1, 2.9, 0.17, 30, 50, 10
_FIRST = (*DEFAULT_BY, "optimizer")  # of the keys that tell curves apart, where several do
_PANELS = (  # metric, its label, against what, the fine FEM's value
    ("relative_l2", ERRORS["l2"][1], "iteration", "fem_relative_l2"),
    ("relative_h1", ERRORS["h1"][1], "iteration", "fem_relative_h1"),
    ("residual", "residual loss", "iteration", ""),
    ("relative_l2", ERRORS["l2"][1], "seconds", "fem_relative_l2"),
)


@dataclass(frozen=True)
class Course:
    """A metric of several seeds at every iteration, over those that logged it."""

    x: np.ndarray
    middle: np.ndarray
    least: np.ndarray
    most: np.ndarray


@dataclass(frozen=True)
class Curve:
    """One group of runs: the values that tell it from others, its label, and the runs that logged anything."""

    name: tuple[str, ...]
    label: str
    records: list[Record]

    def course(self, metric: str, against: str) -> Course:
        """Median, least and greatest over the seeds, against iterations or the median of the seconds."""
        every = np.unique(np.concatenate([run.iterations for run in self.records]))
        y, time = np.full((2, len(self.records), len(every)), np.nan)
        for i, run in enumerate(self.records):
            places = np.searchsorted(every, run.iterations)
            y[i, places], time[i, places] = run.column(metric), run.seconds
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # where every seed has NaN
            x = every if against == "iteration" else np.nanmedian(time, axis=0)
            return Course(x, np.nanmedian(y, axis=0), np.nanmin(y, axis=0), np.nanmax(y, axis=0))


@dataclass(frozen=True)
class Column:
    """The groups of one problem."""

    title: str
    curves: list[Curve]


def plot_comparison(runs: Sequence[Run], by: Sequence[str] | None, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Writes `errors.FORMAT`; raises `UserError` for a key that no run has and where Matplotlib is missing."""
    with drawing():
        return save(comparison_figure(columns(runs, by)), folder, NAME, formats)


def comparison_figure(shown: Sequence[Column]) -> Any:
    """A column of panels for each problem, or the panels of the only one in two columns; inside `drawing()`."""
    names = list(dict.fromkeys(curve.name for column in shown for curve in column.curves))
    styles = _styles(names)
    lines = max(len(column.curves) for column in shown) + 1
    only = len(shown) == 1
    across, down = (2, 2) if only else (len(shown), len(_PANELS))
    beside = 2 if only and all(len(curve.label) < _LONG for curve in shown[0].curves) else 1
    legend = _LEGEND_LINE * lines / beside
    figure = new_figure(_ROW * down + legend + 0.5, max(WIDTH, _COLUMN * across))
    panels = figure.subplots(down, across, squeeze=False)
    for i, column in enumerate(shown):
        places = panels.ravel() if only else panels[:, i]
        for axes, (metric, label, against, level) in zip(places, _PANELS, strict=True):
            courses = [curve.course(metric, against) for curve in column.curves]
            for curve, course in zip(column.curves, courses, strict=True):
                _draw(axes, course, label=curve.label, **styles[curve.name])
            _draw_levels(axes, column, level)
            axes.set(xlabel=against, ylabel=label, yscale="log")
            ends = [course.x[-1] for course in courses]
            if min(ends) > 0 and max(ends) > _FAR * min(ends):
                axes.set_xscale("log", nonpositive="mask")
                axes.xaxis.set_major_formatter("{x:,g}")
            elif against == "iteration":
                along_iterations(axes)
            plain(axes)
        if only:
            figure.suptitle(column.title)
            handles, labels = places[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=beside, frameon=False)
        else:
            headed(places[0], column.title, columns=1)
    return figure


def columns(runs: Sequence[Run], by: Sequence[str] | None) -> list[Column]:
    """The runs by the problem they solve, and within each by the given keys, or those of `collection.group`."""
    keys = [key for key in telling(runs) if is_problem(key)]
    problems = group(runs, keys)[1] if keys else [Group((), tuple(runs))]
    experiments = [_experiments(problem) for problem in problems]
    apart = len(set().union(*experiments)) == sum(map(len, experiments)) == len(problems)
    cells = [group(problem.runs, by) for problem in problems]
    differing = dict.fromkeys(key for names, groups in cells for key in _differing(names, groups))
    named = [key for key in differing if not is_problem(key)]
    named = (named if by else _needed(named, cells)) or list(by or DEFAULT_BY)
    found = []
    for problem, (names, groups) in zip(problems, cells, strict=True):
        curves = [curve for several in groups if (curve := _curve(several, names, named)).records]
        if curves:
            found.append(Column(_title(problem, keys, implied=("problem.dim",) if apart else ()), curves))
    return found


def _differing(names: Sequence[str], groups: Sequence[Group]) -> list[str]:
    """The keys in which groups differ."""
    return [name for i, name in enumerate(names) if len({str(several.values[i]) for several in groups}) > 1]


def _needed(keys: Sequence[str], cells: Sequence[tuple[Sequence[str], Sequence[Group]]]) -> list[str]:
    """Of the keys those without which two groups of a problem were one; options stay rather than their values."""

    def apart(chosen: Sequence[str]) -> list[int]:
        """How many groups of each problem differ in these."""
        values = [[dict(zip(names, several.values, strict=True)) for several in groups] for names, groups in cells]
        return [len({tuple(str(value.get(key)) for key in chosen) for value in problem}) for problem in values]

    found = list(keys)
    for key in reversed(sorted(keys, key=lambda key: (key not in _FIRST, "." in key))):
        rest = [other for other in found if other != key]
        found = rest if rest and apart(rest) == apart(keys) else found
    return found


def _curve(several: Group, names: Sequence[str], named: Sequence[str]) -> Curve:
    values = dict(zip(names, several.values, strict=True))
    name = tuple(_text(key, values[key]) if key in values else "" for key in named)
    count, kinds = len(several.runs), [kind(run) for run in several.runs]
    word = "seed" if len({run.keys["seed"] for run in several.runs}) == count else "run"
    counted = f"{count} {word}{'s' if count > 1 else ''}"
    counted += "".join(f", {kinds.count(how)} {how}" for how in KINDS[1:] if how in kinds)
    records = [found for run in several.runs if (found := record(run.stored, {})).iterations.size]
    return Curve(name, f"{', '.join(filter(None, name))} ({counted})", records)


def _experiments(problem: Group) -> set[str]:
    return {run.stored.experiment for run in problem.runs}


def _title(problem: Group, keys: Sequence[str], implied: Sequence[str]) -> str:
    """The experiment where all runs have one name, and what tells this problem from the others and is not implied."""
    experiments = _experiments(problem)
    parts = [*experiments] if len(experiments) == 1 else []
    values = {"problem.eps": problem.runs[0].keys["problem.eps"]} | dict(zip(keys, problem.values, strict=True))
    values = {key: value for key, value in values.items() if key not in implied}
    if "problem.eps" in keys:
        values.pop("coefficient.periods", None)  # they follow ε
    return ", ".join([*parts, *(_text(key, value) for key, value in values.items() if value not in parts)])


def _text(key: str, value: Any) -> str:
    """A value as a label has it: the name of an option alone, others behind their key."""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    text = text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"
    if key == "problem.eps":
        return epsilon(value)
    return (f"{key.rpartition('.')[2]} = {text}" if "." in key or key == "seed" else text).replace("$", r"\$")


def _styles(names: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], dict[str, Any]]:
    """Colours by the value of which there are most, dashes and marks by the others; by the same where it is the only
    one.
    """
    columns = list(zip(*names, strict=True))
    first = max(range(len(columns)), key=lambda i: len(set(columns[i])))
    colours = list(dict.fromkeys(columns[first]))
    others = list(dict.fromkeys(name[:first] + name[first + 1 :] for name in names))
    found = {}
    for name in names:
        i = colours.index(name[first])
        j = others.index(name[:first] + name[first + 1 :]) if len(others) > 1 else i
        style = {"linestyle": DASHES[j % len(DASHES)], "marker": MARKERS[j % len(MARKERS)]}
        found[name] = {"color": CYCLE[i % len(CYCLE)], **style}
    return found


def _draw(axes: Any, course: Course, label: str, **style: Any) -> None:
    """Also where nothing is positive, so that the legend has every group."""
    least, middle, most = (np.where(y > 0, y, np.nan) for y in (course.least, course.middle, course.most))
    every = max(1, len(course.x) // 8)
    axes.plot(course.x, middle, label=label, markersize=3, markevery=every, **style)
    axes.fill_between(course.x, least, most, color=style["color"], alpha=0.18, linewidth=0)


def _draw_levels(axes: Any, column: Column, key: str) -> None:
    """The fine FEM of each `reference.baseline_h` there is."""
    if not key:
        return
    runs = [run for curve in column.curves for run in curve.records]
    for i, value in enumerate(sorted({run.number(key) for run in runs})):
        time = np.median([run.number("fem_seconds") for run in runs if run.number(key) == value])
        draw_level(axes, value, label=f"fine FEM, {seconds(float(time))}", color="0.35" if i == 0 else "0.6")
