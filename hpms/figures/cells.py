"""The figure of `hpms upscale`: upscaled tensors in their cells."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hpms.errors import UserError
from hpms.figures.style import BLACK, CYCLE, DASHES, FIELD, SIGNED, drawing, headed, new_figure, plain, save

log = logging.getLogger(__name__)
_ROW, _LINES = 1.75, 2.6  # inches
_ENTRIES = {1: ((0, 0),), 2: ((0, 0), (1, 1), (0, 1)), 3: ((0, 0), (1, 1), (2, 2))}


def plot_cells(
    cells: Mapping[str, np.ndarray], counts: tuple[int, ...], titles: Mapping[str, str], folder: Path
) -> list[Path]:
    """Draws tensors (N, d, d) by name, last axis of the cells fastest; only a line in the log without Matplotlib."""
    shown = {titles[name]: cells[name] for name in titles if name in cells}
    try:
        with drawing():
            return save(_lines(shown) if len(counts) == 1 else _maps(shown, counts), folder, "figure", ("png", "pdf"))
    except UserError as error:
        log.info("No figure: %s", error)
        return []


def _lines(shown: Mapping[str, np.ndarray]) -> Any:
    """K̃ over x₁, constant in each cell."""
    figure = new_figure(_LINES)
    axes = figure.add_subplot()
    for i, (title, tensors) in enumerate(shown.items()):
        edges = np.linspace(0, 1, len(tensors) + 1)
        style = {"color": CYCLE[i % len(CYCLE)], "linestyle": DASHES[i % len(DASHES)]}
        axes.stairs(tensors[:, 0, 0], edges, baseline=None, label=title, **style)
    axes.set(xlabel="$x_1$", ylabel=r"$\tilde K$", xlim=(0, 1))
    plain(axes)
    headed(axes, "upscaled coefficient of each cell", columns=3)
    return figure


def _maps(shown: Mapping[str, np.ndarray], counts: tuple[int, ...]) -> Any:
    """A row for each kind, a column with a scale of its own for each entry; in 3-D a slice near the middle."""
    dim = len(counts)
    figure = new_figure(_ROW * len(shown) + 0.5)
    panels = figure.subplots(len(shown), len(_ENTRIES[dim]), sharex=True, sharey=True, squeeze=False)
    for column, (i, j) in enumerate(_ENTRIES[dim]):
        values = np.stack([tensors[:, i, j].reshape(counts) for tensors in shown.values()])
        values = values if dim == 2 else values[..., counts[2] // 2]
        if np.isfinite(values).any():
            figure.colorbar(
                _column(panels[:, column], values, i == j), ax=list(panels[:, column]), shrink=0.7, aspect=25
            )
        panels[0, column].set_title(rf"$\tilde K_{{{i + 1}{j + 1}}}$", loc="left")
        panels[-1, column].set_xlabel("$x_1$")
    for row, title in enumerate(shown):
        panels[row, 0].set_ylabel(f"{title}\n$x_2$")
    if dim == 3:
        figure.supxlabel(f"cells at $x_3$ = {(counts[2] // 2 + 0.5) / counts[2]:.3g}", fontsize=8)
    return figure


def _column(panels: Any, values: np.ndarray, diagonal: bool) -> Any:
    """One entry of all kinds on one scale; the last map that was drawn."""
    known = values[np.isfinite(values)]
    reach = max(float(np.abs(known).max()), 1e-300)
    scale = (float(known.min()), float(known.max())) if diagonal else (-reach, reach)
    drawn = None
    for axes, value in zip(panels, values, strict=True):
        axes.set(aspect="equal", xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        if not np.isfinite(value).any():
            axes.text(0.5, 0.5, "none", ha="center", va="center", color=BLACK)
            continue
        edges = [np.linspace(0, 1, count + 1) for count in value.shape]
        style = {"cmap": FIELD if diagonal else SIGNED, "vmin": scale[0], "vmax": scale[1]}
        drawn = axes.pcolormesh(*edges, np.ma.masked_invalid(value.T), rasterized=True, **style)
    return drawn
