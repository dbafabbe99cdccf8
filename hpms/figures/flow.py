"""The flow of a 2-D run with conditions of its own: contours of w, streamlines, and how fast it is."""

from typing import Any

import numpy as np

from hpms.figures.grid import TensorGrid
from hpms.figures.record import Record
from hpms.figures.style import FIELD, bar

_ALONG, _LEVELS, _DECADES = 160, 12, 3


def has_flow(run: Record) -> bool:
    """Whether there is one to draw: streamlines are those of a flux on a box in the plane."""
    return (
        run.dim == 2
        and run.has_own_conditions
        and "flux" in run.fields
        and "stress" not in run.fields
        and "cells" not in run.fields
    )


def draw_flow_maps(part: Any, run: Record) -> None:
    """Contours of w with the streamlines of -K∇w, beside |K∇w|."""
    from matplotlib.colors import LogNorm

    grid = TensorGrid.of(run.fields["points"])
    x, y = (_even(axis) for axis in grid.axes)
    w, u, v = (_at(grid, values, x, y) for values in (run.fields["value"], *run.fields["flux"].T))
    speed = np.hypot(u, v)
    panels = part.subplots(1, 2, sharey=True)
    for axes in panels:
        ends = [float(f"{axis[0] + axis[-1]:.9g}") for axis in grid.axes]
        axes.set(aspect="equal", xlabel="$x_1$", xlim=(0, ends[0]), ylim=(0, ends[1]))
    panels[0].set_ylabel("$x_2$")
    panels[0].set_title(r"contours of $w$, streamlines of $-K\nabla w$", loc="left")
    contours = panels[0].contour(x, y, w.T, levels=_LEVELS, cmap=FIELD, linewidths=0.8)
    panels[0].streamplot(x, y, u.T, v.T, color="0.35", linewidth=0.6, arrowsize=0.7, density=1.1)
    bar(part, contours, panels[0], "$w$")
    panels[1].set_title(r"$|K\nabla w|$", loc="left")
    most = float(speed.max())
    scale = {"norm": LogNorm(max(float(speed.min()), most / 10**_DECADES), most)} if most > 0 else {}
    fast = panels[1].pcolormesh(x, y, speed.T, shading="nearest", rasterized=True, cmap=FIELD, **scale)
    bar(part, fast, panels[1])


def _even(axis: np.ndarray) -> np.ndarray:
    """Equally spaced points between the first and the last one."""
    return np.linspace(axis[0], axis[-1], _ALONG)


def _at(grid: TensorGrid, values: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    from scipy.interpolate import RegularGridInterpolator

    points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    return RegularGridInterpolator(grid.axes, grid.array(values))(points)
