"""What a bound of the error found, and where it is from."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from hpms.fem.mesh.simplices import Simplices

_SHOWN = 64  # cells along an axis of a map
TOO_FEW = "too few points for a bound"


@dataclass(frozen=True)
class Boxes:
    """Equal boxes of a box with these `sides`: shares have the shape of their grid."""

    sides: tuple[float, ...]

    def density(self, parts: Float[np.ndarray, "..."], points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Shares per volume at points, in boxes of neighbours of which at most 64 lie along an axis."""
        counts = np.array(parts.shape)
        each = -(-counts // _SHOWN)
        for axis, size in enumerate(each):
            starts = np.arange(0, counts[axis], size)
            widths = np.diff([*starts, counts[axis]]) * self.sides[axis] / counts[axis]
            parts = np.add.reduceat(parts, starts, axis=axis)
            parts = parts / widths.reshape([-1 if a == axis else 1 for a in range(parts.ndim)])
        places = (points / np.array(self.sides) * counts).astype(int) // each
        return parts[tuple(np.clip(places, 0, np.array(parts.shape) - 1).T)]


@dataclass(frozen=True)
class Refined:
    """A mesh with simplices that `refined` may have cut on: shares are those of the last ones, in their order."""

    mesh: Simplices

    def density(self, parts: Float[np.ndarray, " t"], points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Shares per volume at points, in the simplices of `mesh`; NaN outside."""
        count = len(self.mesh.cells)
        shares = parts.reshape(-1, count).sum(axis=0) / self.mesh.volumes
        cells, _ = self.mesh.locate(points)
        return np.where(cells >= 0, shares[cells], math.nan)


@dataclass(frozen=True)
class ErrorBound:
    """|||w* - w||| <= `energy`, for all lifted problems together; `norm` is ‖K^{1/2}∇v‖, and `constant` is C with
    ‖φ‖ <= C|||φ||| for what vanishes where w is given, NaN where none is known.

    `oscillation` and `carried` are its two parts, what the means over cells leave and what the flux τ that carries
    them has. Where w misses its given values `boundary` is |||E||| of an extension of what it misses, `missed` ‖E‖.
    `parts` are the cells' shares of the square, and `where` knows where these cells are. Where it `lacks` something, as
    points are too few for the medium, it is an estimate.
    """

    energy: float
    constant: float
    norm: float
    oscillation: float
    carried: float
    boundary: float
    missed: float
    parts: Float[np.ndarray, "..."]
    where: Boxes | Refined
    points: int
    seconds: float
    lacks: str

    @property
    def relative(self) -> float:
        """To ‖K^{1/2}∇u‖, of which `norm` - `energy` is a lower bound; infinite where that is not positive."""
        return self.energy / (self.norm - self.energy) if self.norm > self.energy else math.inf

    @property
    def l2(self) -> float:
        """Of ‖w* - w‖, where only fluxes are given without the mean of w; NaN where no constant is known."""
        inside = math.sqrt(max(self.energy**2 - self.boundary**2, 0.0))
        return self.missed + self.constant * (inside + self.boundary)

    @property
    def is_bound(self) -> bool:
        """Whether it lacks nothing."""
        return not self.lacks

    def density(self, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """The root of the parts of the square per volume at points, NaN outside Ω, constant in neighbouring cells of
        which about 64 at most lie along an axis: where is w wrong?
        """
        return np.sqrt(self.where.density(self.parts, points))

    def summary(self) -> dict[str, float | str]:
        """By the names of a run's attributes."""
        return {
            "error_bound": self.energy,
            "relative_error_bound": self.relative,
            "error_bound_l2": self.l2,
            "error_bound_oscillation": self.oscillation,
            "error_bound_carried": self.carried,
            "error_bound_boundary": self.boundary,
            "error_bound_cells": self.parts.size,
            "error_bound_points": self.points,
            "error_bound_seconds": self.seconds,
            "error_bound_resolved": int(self.is_bound),
            "error_bound_lacks": self.lacks,
        }
