"""Figure of `small_eps.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from small_eps_problems import ACCURACIES, PROBLEMS

from hpms.figures.style import BLACK, BLUE, GREEN, VERMILLION, WIDTH, drawing, new_figure, plain, save

if TYPE_CHECKING:
    from small_eps_report import Result

_STYLES = {  # colour and marker
    "network": (GREEN, "o"),
    "p1": ("0.55", "s"),
    "p2": (BLACK, "^"),
    "corrector": (BLUE, "D"),
    "mhm": (VERMILLION, "v"),
}
_MARKER, _MARGIN, _APART = 5.0, 1.3, 0.016
Found = Mapping[float, Mapping[str, "Sequence[Result]"]]


def plot(results: Mapping[str, Found], names: Mapping[str, str], path: Path) -> None:
    """Seconds against ε for each problem, a row of panels for each accuracy; hollow where it was not reached."""
    widths = [max(2, len(at)) for at in results.values()]
    with drawing():
        figure = new_figure(5.2, min(max(WIDTH, 2.4 * len(results)), 1.2 * sum(widths) + 0.8))
        panels = figure.subplots(
            len(ACCURACIES), len(results), squeeze=False, sharex="col", sharey=True, width_ratios=widths
        )
        for (name, at), column in zip(results.items(), panels.T, strict=True):
            column[0].set_title(PROBLEMS[name].title, loc="left")
            column[-1].set_xlabel("ε")
            for number, axes in enumerate(column):
                _draw(axes, at, number)
        for accuracy, axes in zip(ACCURACIES, panels[:, 0], strict=True):
            axes.set_ylabel(f"seconds to {100 * accuracy:g} %")
        shown = {method for at in results.values() for found in at.values() for method in found}
        _legend(figure, {method: name for method, name in names.items() if method in shown})
        save(figure, path.parent, path.name, ("png", "pdf"))


def _draw(axes: Any, at: Found, number: int) -> None:
    """One panel: every result, and a line through the medians where all seeds reached it."""
    width = _MARGIN**2 * max(at) / min(at)
    for place, (method, (colour, marker)) in enumerate(_STYLES.items()):
        line, aside = [], width ** (_APART * (len(_STYLES) // 2 - place))
        for eps, found in at.items():
            results = found.get(method, [])
            reached = [seconds for r in results if (seconds := r.seconds[number]) is not None]
            for result in results:
                seconds = result.seconds[number]
                face, height = ("none", result.spent) if seconds is None else (colour, seconds)
                axes.plot(eps * aside, height, marker, color=colour, markerfacecolor=face, markersize=_MARKER)
            if results and len(reached) == len(results):
                line.append((eps * aside, float(np.median(reached))))
        if line:
            axes.plot(*zip(*line, strict=True), color=colour, linewidth=1.3)
    axes.set(xscale="log", yscale="log", xlim=(_MARGIN * max(at), min(at) / _MARGIN))
    axes.set_xticks(list(at), [f"{eps:g}" for eps in at])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")
    plain(axes)


def _legend(figure: Any, names: Mapping[str, str]) -> None:
    from matplotlib.lines import Line2D  # pyright: ignore[reportMissingImports]

    lines = [
        Line2D([], [], color=_STYLES[method][0], marker=_STYLES[method][1], markersize=_MARKER, label=name)
        for method, name in names.items()
    ]
    hollow = {"color": "0.3", "marker": "o", "linestyle": "", "markerfacecolor": "none", "markersize": _MARKER}
    lines.append(Line2D([], [], **hollow, label="not reached"))
    figure.legend(handles=lines, loc="outside lower center", ncols=3, frameon=False)
