"""Tensor grids: what quadrature points and coarse nodes lie on."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

_CORNERS = {1: [(0,), (1,)], 2: [(0, 0), (1, 0), (1, 1), (0, 1)]}
_CORNERS[3] = [(*corner, z) for z in (0, 1) for corner in _CORNERS[2]]


@dataclass(frozen=True)
class TensorGrid:
    """The coordinates along each of d `axes`, and in which `order` (M,) the points run through them, last axis fastest.

    Raises `ValueError` from `of` for points that are no tensor grid.
    """

    axes: tuple[np.ndarray, ...]
    order: np.ndarray

    @classmethod
    def of(cls, points: Float[np.ndarray, "m d"]) -> "TensorGrid":
        """The grid of M points in any order."""
        axes = tuple(np.unique(column) for column in points.T)
        order = np.lexsort(points.T[::-1])
        full = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
        if full.shape != points.shape or not np.array_equal(full, points[order]):
            raise ValueError(f"{len(points)} points are no tensor grid")
        return cls(axes, order)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(len, self.axes))

    def array(self, values: np.ndarray) -> np.ndarray:
        """Values (M,) at the points as an array with one axis per direction."""
        return values[self.order].reshape(self.shape)

    def plane(self, values: np.ndarray) -> np.ndarray:
        """Values (M,) as an array over x₁ and x₂; in 3-D those at the x₃ nearest to the middle."""
        found = self.array(values)
        return found if found.ndim == 2 else found[:, :, self._middle]

    @property
    def height(self) -> float | None:
        """The x₃ of `plane`, None in 2-D."""
        return float(self.axes[2][self._middle]) if len(self.axes) == 3 else None

    def cells(self) -> Int[np.ndarray, "c k"]:
        """The segments, quadrilaterals or hexahedra between neighbours, as indices of the points, k = 2^d corners."""
        numbers = np.empty(len(self.order), int)
        numbers[:] = self.order
        numbers = numbers.reshape(self.shape)
        corners = []
        for corner in _CORNERS[len(self.axes)]:
            part = tuple(slice(c, n - 1 + c) for c, n in zip(corner, self.shape, strict=True))
            corners.append(numbers[part].ravel())
        return np.stack(corners, axis=1)

    @property
    def _middle(self) -> int:
        return int(np.abs(self.axes[2] - (self.axes[2][0] + self.axes[2][-1]) / 2).argmin())


def meshes(nodes: Float[np.ndarray, "n d"]) -> list[slice]:
    """Where each mesh begins and ends, of meshes whose nodes, last axis fastest, lie one behind the other."""
    starts = np.flatnonzero(np.diff(nodes[:, 0]) < 0) + 1
    bounds = [0, *starts.tolist(), len(nodes)]
    return [slice(low, high) for low, high in pairwise(bounds)]
