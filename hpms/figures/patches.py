"""Maps of a domain that is a mesh: each triangle, or what a plane cuts of each tetrahedron, in one colour."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Patches:
    """The corners of T simplices, `cells` (T, d+1, d), in each of which equally many of the points lie, one behind the
    other.
    """

    cells: Float[np.ndarray, "t d1 d"]

    @property
    def height(self) -> float | None:
        """The x₃ of the plane, None in 2-D."""
        return float(self.cells[..., 2].min() + self.cells[..., 2].max()) / 2 if self.cells.shape[2] == 3 else None

    def draw(self, axes: Any, values: np.ndarray, **style: Any) -> Any:
        """The means of the values over the simplices."""
        from matplotlib.collections import PolyCollection

        numbers, shapes = self._shown
        shown = np.ma.masked_invalid(values.reshape(len(self.cells), -1).mean(axis=1)[numbers])
        limits = {name: style.pop(name) for name in ("vmin", "vmax") if name in style}
        drawn = PolyCollection(shapes, array=shown, edgecolors="face", linewidths=0.2, rasterized=True, **style)
        drawn.set_clim(limits.get("vmin"), limits.get("vmax"))
        axes.add_collection(drawn)
        low, high = self.cells.min(axis=(0, 1)), self.cells.max(axis=(0, 1))
        ends = [[float(f"{x:.9g}") for x in (a, (a + b) / 2, b)] for a, b in zip(low, high, strict=True)]
        axes.set(aspect="equal", xlabel="$x_1$", xlim=ends[0][::2], ylim=ends[1][::2], xticks=ends[0], yticks=ends[1])
        return drawn

    @cached_property
    def _shown(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """The numbers of the simplices that are seen, and their outlines in the plane."""
        if self.height is None:
            return np.arange(len(self.cells)), list(self.cells)
        above = self.cells[..., 2] > self.height
        cut = np.flatnonzero(above.any(axis=1) & ~above.all(axis=1))
        return cut, [_outline(self.cells[i], above[i], self.height) for i in cut]


def _outline(corners: np.ndarray, above: np.ndarray, height: float) -> np.ndarray:
    """Where the edges of a tetrahedron meet the plane, around their middle."""
    ends = [(a, b) for a in corners[above] for b in corners[~above]]
    met = np.array([b + (a - b) * (height - b[2]) / (a[2] - b[2]) for a, b in ends])[:, :2]
    away = met - met.mean(axis=0)
    return met[np.argsort(np.arctan2(away[:, 1], away[:, 0]))]
