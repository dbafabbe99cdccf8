"""Panels of a 2-D run, or of a slice of a 3-D one: colour maps of solution, error and coarse quantities."""

from typing import Any

import numpy as np

from hpms.figures.grid import TensorGrid
from hpms.figures.patches import Patches
from hpms.figures.record import STRESSES, Record
from hpms.figures.style import FIELD, SIGNED, bar

_SYMBOLS = ("network $v$", "reference $u$", "$v$, $u$")


def draw_solution_maps(part: Any, run: Record) -> None:
    """v and u on one scale, and v - u on one centred on 0, in a row; without a reference v, and where the bound of the
    error is from.
    """
    grid = _layout(run)
    v, u = run.fields["value"], run.fields.get("reference_value")
    ours, theirs, both = ("network $w$", "reference $w$", "$w$") if run.has_own_conditions else _SYMBOLS
    panels = part.subplots(1, 3, sharey=True)
    panels[0].set_ylabel("$x_2$")
    _note(part, grid)
    if u is None:
        bar(part, _maps(panels[:1], grid, {ours: v}), panels[0], both[:3])
        _draw_apart(part, panels[1:], grid, _bound(run))
        return
    bar(part, _maps(panels[:2], grid, {ours: v, theirs: u}), panels[1], both)
    reach = float(np.nanmax(np.abs(v - u)))
    error = _map(panels[2], grid, v - u, cmap=SIGNED, vmin=-reach, vmax=reach)
    panels[2].set_title("error of $w$" if run.has_own_conditions else "error $v - u$", loc="left")
    bar(part, error, panels[2], "error" if run.has_own_conditions else "$v - u$")


def draw_bound_maps(part: Any, run: Record) -> None:
    """Where the bound of the error is from, beside |∇(v - u)|."""
    grid = _layout(run)
    panels = part.subplots(1, 3, sharey=True)
    panels[0].set_ylabel("$x_2$")
    difference = run.fields["gradient"] - run.fields["reference_gradient"]
    shown = _bound(run) | {r"$|\nabla(v - u)|$": np.linalg.norm(difference, axis=1)}
    _draw_apart(part, panels, grid, shown)


def draw_stress_maps(part: Any, run: Record) -> None:
    """The equivalent stress of von Mises, beside the reference's and their difference where there is one."""
    grid = _layout(run)
    panels = part.subplots(1, 3, sharey=True)
    panels[0].set_ylabel("$x_2$")
    ours, theirs = (run.fields.get(name) for name in STRESSES)
    assert ours is not None
    if theirs is None:
        _draw_apart(part, panels, grid, {"von Mises stress": ours})
        return
    maps = _maps(panels[:2], grid, {"network, von Mises": ours, "reference, von Mises": theirs})
    bar(part, maps, panels[1], "von Mises stress")
    reach = float(np.nanmax(np.abs(ours - theirs)))
    error = _map(panels[2], grid, ours - theirs, cmap=SIGNED, vmin=-reach, vmax=reach)
    panels[2].set_title("its error", loc="left")
    bar(part, error, panels[2], "error")


def _bound(run: Record) -> dict[str, np.ndarray]:
    """By its title, where there is one."""
    return {"bound of the error": run.fields["error_bound"]} if "error_bound" in run.fields else {}


def _draw_apart(part: Any, panels: Any, grid: TensorGrid | Patches, shown: dict[str, np.ndarray]) -> None:
    """One for each title, each on its own scale; what is left of the panels is empty."""
    for axes, (title, values) in zip(panels, shown.items(), strict=False):
        drawn = _map(axes, grid, values, cmap=FIELD)
        axes.set_title(title, loc="left")
        bar(part, drawn, axes)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()


def draw_coarse_maps(part: Any, run: Record) -> None:
    """y_h, Q̄_δv and their counterparts of the reference, where the file has them, on one scale in a row."""
    titles = {
        "coarse_state": "$y_h$",
        "averages": r"$\bar Q_\delta v$",
        "reference_coarse_state": "reference $y$",
        "reference_averages": r"reference $\bar Q_\delta u$",
    }
    grid = TensorGrid.of(run.coarse["nodes"])
    shown = {title: run.coarse[name] for name, title in titles.items() if name in run.coarse}
    panels = part.subplots(1, len(titles), sharey=True)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    maps = _maps(panels[: len(shown)], grid, shown)
    bar(part, maps, panels[len(shown) - 1], r"$y$, $\bar Q_\delta v$")
    panels[0].set_ylabel("$x_2$")


def _maps(panels: Any, grid: TensorGrid | Patches, values: dict[str, np.ndarray]) -> Any:
    """One for each title, on the scale of all; the last."""
    every = np.concatenate([v[np.isfinite(v)] for v in values.values()])
    scale = {"vmin": float(every.min()), "vmax": float(every.max())} if every.size else {}
    drawn = None
    for axes, (title, value) in zip(panels, values.items(), strict=True):
        drawn = _map(axes, grid, value, cmap=FIELD, **scale)
        axes.set_title(title, loc="left")
    return drawn


def _layout(run: Record) -> TensorGrid | Patches:
    """Where the points of the fields lie."""
    return Patches(run.fields["cells"]) if "cells" in run.fields else TensorGrid.of(run.fields["points"])


def _map(axes: Any, grid: TensorGrid | Patches, values: np.ndarray, **style: Any) -> Any:
    if isinstance(grid, Patches):
        return grid.draw(axes, values, **style)
    ends = [float(f"{axis[0] + axis[-1]:.9g}") for axis in grid.axes[:2]]  # points lie as far from both ends
    ticks = [(0, end / 2, end) for end in ends]
    axes.set(aspect="equal", xlabel="$x_1$", xlim=(0, ends[0]), ylim=(0, ends[1]), xticks=ticks[0], yticks=ticks[1])
    plane = np.ma.masked_invalid(grid.plane(values).T)
    return axes.pcolormesh(grid.axes[0], grid.axes[1], plane, shading="nearest", rasterized=True, **style)


def _note(part: Any, grid: TensorGrid | Patches) -> None:
    if grid.height is not None:
        part.supxlabel(f"at $x_3$ = {grid.height:.3g}", fontsize=8)
