"""The figure of `hpms consistency`: the gap against ε and δ, and errors against h."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from hpms.errors import UserError
from hpms.figures.style import CYCLE, MARKERS, drawing, new_figure, require_matplotlib, save

log = logging.getLogger(__name__)
_HEIGHT, _TICKS = 3.9, 6.5
_FEM = {"relative_l2": "L² error of $u_h$", "relative_h1": "H¹ error of $u_h$"}
_COARSE = {
    "state_l2": "$y_h$, L²",
    "state_h1": "$y_h$, H¹",
    "adjoint_l2": "$p_h$, L²",
    "adjoint_h1": "$p_h$, H¹",
    "nodal_adjoint_h1": "$p_h$ by nodal sum, H¹",
}
_GAP = "‖$\\bar{Q}_δ u - y$‖ / ‖u‖"

Groups = Mapping[str, Mapping[str, np.ndarray]]


def figure(groups: Groups, path: Path) -> None:
    """Draws the arrays of a `consistency.h5` beside it, as PNG and PDF; only a line in the log without Matplotlib."""
    try:
        require_matplotlib()
    except UserError:
        log.info("no figures: Matplotlib is not installed; pip install 'hpms[plot]' brings it")
        return
    panels: list[Callable[[Any], None]] = [partial(_against_eps, gaps=groups["gaps"])]
    if groups["fixed_delta"]["delta"].shape[1]:
        panels.append(partial(_at_fixed_delta, fixed=groups["fixed_delta"]))
    panels.append(partial(_against_delta, gaps=groups["gaps"]))
    panels.append(partial(_against_h, values=groups["fem"], names=_FEM, title="fine P1 elements"))
    panels.append(partial(_against_h, values=groups["coarse"], names=_COARSE, title="coarse P1 elements, exact $u$"))
    rows = -(-len(panels) // 2)
    with drawing():
        drawn = new_figure(_HEIGHT * rows)
        every = drawn.subplots(rows, 2).flat
        for axes, panel in zip_longest(every, panels):
            panel(axes) if panel else axes.set_axis_off()
        save(drawn, path.parent, path.stem, ("png", "pdf"))


def _against_eps(axes: Any, gaps: Mapping[str, np.ndarray]) -> None:
    eps = gaps["eps"]
    for j, ratio in enumerate(gaps["delta_over_eps"][0]):
        rates = ", ".join(f"{gaps[name][j]:.2f}" for name in ("interior_rate", "frame_rate"))
        name = f"δ = {ratio:.3g} ε" if ratio != 1 else "δ = ε"
        _pair(axes, eps, gaps["interior_gap"][:, j], gaps["frame_gap"][:, j], j, f"{name}: {rates}")
    _slope(axes, eps, np.nanmax(gaps["gap"], axis=1), 1)
    _slope(axes, eps, np.nanmin(gaps["frame_gap"], axis=1), 1.5, above=False)
    _finish(
        axes, eps, "ε", _GAP, "gap, δ shrinks with ε: interior solid, frame dashed", f"rates in ε by {len(eps)} points"
    )


def _at_fixed_delta(axes: Any, fixed: Mapping[str, np.ndarray]) -> None:
    eps = fixed["eps"]
    for j in range(fixed["delta"].shape[1]):
        _pair(axes, eps, fixed["interior_gap"][:, j], None, j, f"δ = {fixed['delta'][0, j]:.3g}")
    _slope(axes, eps, np.nanmin(fixed["interior_gap"], axis=1), 1, above=False)
    _finish(axes, eps, "ε", _GAP, "interior gap, δ stays")


def _against_delta(axes: Any, gaps: Mapping[str, np.ndarray]) -> None:
    for i, eps in enumerate(gaps["eps"]):
        _pair(axes, gaps["delta"][i], gaps["interior_gap"][i], gaps["frame_gap"][i], i, f"ε = {eps:.3g}")
    _finish(axes, gaps["delta"], "δ", _GAP, "gap against δ: interior solid, frame dashed")


def _against_h(axes: Any, values: Mapping[str, np.ndarray], names: Mapping[str, str], title: str) -> None:
    for k, (name, label) in enumerate(names.items()):
        style: Any = {"linestyle": "--"} if name.startswith("nodal") else {}
        text = f"{label}: {values[f'{name}_rate']:.2f}"
        axes.plot(values["h"], values[name], color=_colour(k), marker=_marker(k), markersize=5, label=text, **style)
    low, high = (
        [values[name] for name in names if name.endswith(end) and not name.startswith("nodal")] for end in ("l2", "h1")
    )
    _slope(axes, values["h"], np.min(low, axis=0), 2, above=False)
    _slope(axes, values["h"], np.max([*high, *(values[n] for n in names if n.startswith("nodal"))], axis=0), 1)
    _finish(axes, values["h"], "h", "relative error", title, f"rates in h by {len(values['h'])} points")


def _pair(axes: Any, x: np.ndarray, interior: np.ndarray, frame: np.ndarray | None, k: int, label: str) -> None:
    style: Any = {"color": _colour(k), "marker": _marker(k), "markersize": max(5, 9 - 2 * k)}
    axes.plot(x, interior, label=label, **style)
    if frame is not None:
        axes.plot(x, frame, linestyle="--", markerfacecolor="white", **style)


def _slope(axes: Any, x: np.ndarray, y: np.ndarray, rate: float, above: bool = True) -> None:
    """A line x^rate beside the data, with its exponent written at the small end."""
    if len(x) < 2 or not np.isfinite(y).all() or not (y > 0).all():
        return
    order = np.argsort(x)
    x, y = x[order], y[order]
    shift = 1.7 if above else 1 / 1.7
    level = (y / x**rate).max() * shift if above else (y / x**rate).min() * shift
    ends = np.array([x[0], x[-1]])
    axes.plot(ends, level * ends**rate, color="0.45", linewidth=1, linestyle=":")
    middle = np.sqrt(ends.prod())
    axes.annotate(
        f"slope {rate:g}",
        (middle, level * middle**rate),
        xytext=(0, 7 if above else -7),
        textcoords="offset points",
        ha="right" if above else "left",
        va="bottom" if above else "top",
        color="0.3",
        fontsize=8,
    )


def _finish(axes: Any, x: np.ndarray, x_label: str, y_label: str, title: str, legend: str | None = None) -> None:
    axes.set(xscale="log", yscale="log", xlabel=x_label, ylabel=y_label, title=title)
    ticks: list[float] = []
    for value in np.unique(x):
        if not ticks or value > ticks[-1] * (np.max(x) / np.min(x)) ** (1 / _TICKS):
            ticks.append(float(value))
    axes.set_xticks(ticks, labels=[f"{tick:.2g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.grid(True, which="major", color="0.9")
    axes.margins(y=0.12)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, frameon=False, title=legend)


def _colour(k: int) -> str:
    return CYCLE[k % len(CYCLE)]


def _marker(k: int) -> str:
    return MARKERS[k % len(MARKERS)]
