"""Functions on Ω that can be evaluated anywhere."""

import abc
from collections.abc import Sequence
from math import inf

import numpy as np
from jaxtyping import Float

from hpms.fem.lagrange import LagrangeSpace

_CHUNK = 50_000
_BLOCK = 20_000


class AbstractField(abc.ABC):
    """A function u on a domain, (0,1)^d mostly, with its gradient; the array `data` and its space determine it.

    `most_points` is at how many points one can afford its values.
    """

    dim: int
    most_points: float
    data: np.ndarray

    @abc.abstractmethod
    def values(self, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """u at M points of [0,1]^d; `ValueError` for points outside."""

    @abc.abstractmethod
    def evaluate(self, points: Float[np.ndarray, "m d"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m d"]]:
        """u (M,) and ∇u (M, d) at M points of [0,1]^d; `ValueError` for points outside."""

    @abc.abstractmethod
    def norms(self) -> tuple[float, float]:
        """‖u‖_L2 and ‖∇u‖_L2."""


def side_by_side(
    fields: Sequence[AbstractField], points: Float[np.ndarray, "m d"]
) -> tuple[Float[np.ndarray, "m l"], Float[np.ndarray, "m l d"]]:
    """Values and gradients of l fields at M points of [0,1]^d."""
    found = [field.evaluate(points) for field in fields]
    return np.stack([value for value, _ in found], axis=1), np.stack([slope for _, slope in found], axis=1)


class LagrangeField(AbstractField):
    """Σ_i c_i φ_i(x/s), with the basis of a `LagrangeSpace`, c = `data` (N,), and the `sides` s of the box.

    Where elements meet, the gradient is that of one of them.
    """

    most_points = inf

    def __init__(self, space: LagrangeSpace, data: Float[np.ndarray, " n"], sides: Sequence[float] | None = None):
        if data.shape != (space.size,):
            raise ValueError(f"{data.shape[0]} coefficients for a space of {space.size}")
        self.dim, self.space, self.data = space.dim, space, data
        self._sides = np.ones(space.dim) if sides is None else np.asarray(sides, dtype=float)

    def values(self, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        value = np.empty(len(points))
        for start in range(0, len(points), _CHUNK):
            part = slice(start, start + _CHUNK)
            unknowns, found = self.space.locate(points[part] / self._sides)
            value[part] = (self.data[unknowns] * self.space.shape(found.barycentric)).sum(axis=1)
        return value

    def evaluate(self, points: Float[np.ndarray, "m d"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m d"]]:
        value, gradient = np.empty(len(points)), np.empty((len(points), self.dim))
        for start in range(0, len(points), _CHUNK):
            part = slice(start, start + _CHUNK)
            unknowns, found = self.space.locate(points[part] / self._sides)
            local = self.data[unknowns]
            value[part] = (local * self.space.shape(found.barycentric)).sum(axis=1)
            gradient[part] = (local[:, None] @ self.space.slopes(found.barycentric, found.order))[:, 0]
        return value, gradient / self._sides

    def norms(self) -> tuple[float, float]:
        space, mass, energy = self.space, 0.0, 0.0
        barycentric, weights = space.rule(2 * space.degree)
        shape = space.shape(barycentric)
        for simplex, cube in space.blocks(_BLOCK):
            local = self.data[space.unknowns(cube, simplex)]
            mass += float((((local @ shape.T) ** 2) @ weights).sum())
            for side, slope in zip(self._sides, np.moveaxis(space.table(barycentric, simplex), 2, 0), strict=True):
                energy += float((((local @ slope.T) ** 2) @ weights).sum()) / side**2
        volume = float(np.prod(self._sides))
        return (mass * volume) ** 0.5, (energy * volume) ** 0.5
