"""Averages over boxes of whole periods on a lattice, and the inner domain on which they exist."""

from collections.abc import Callable
from functools import reduce

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.interpolate import RegularGridInterpolator

from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.field import AbstractField
from hpms.fem.p1 import P1Space
from hpms.fem.sample import Function, sample_source
from hpms.fem.validation import ratio


class BoxAverage:
    """(Q̄u)(x), the mean of u over the box of sides b around x, from values on a lattice of spacing b_a/m_a.

    Per axis the lattice has as many cells as fit into (0,1), centred, and u is taken at their midpoints. The mean over
    m cells is known where a box begins with a cell and interpolated linearly between: wherever x lies, linear functions
    are averaged exactly, and so are functions of period b, below their m-th harmonic. With `hat` the mean of the means
    over the same box, a hat of about twice the width.

    **Arguments:** the sides b (d,), the counts m (d,) >= 1. Raises `ValueError` where the box does not fit into Ω.
    **Attributes:** `points` (M, d), and the corners `low`, `high` (d,) of Ω_δ, the largest box of admissible x.
    """

    def __init__(self, sides: Float[np.ndarray, " d"], counts: Int[np.ndarray, " d"], hat: bool = False):
        self._kernels = [np.full(m, 1 / m) for m in counts]
        if hat:
            self._kernels = [np.convolve(kernel, kernel) for kernel in self._kernels]
        spacing = sides / counts
        cells = np.floor(1 / spacing + 1e-9).astype(int)
        lengths = np.array([len(kernel) for kernel in self._kernels])
        if (cells <= lengths).any():
            raise ValueError(f"boxes of the sides {sides.tolist()} do not fit into the domain")
        start = (1 - cells * spacing) / 2
        self._spacing, self._boxes = spacing, cells - lengths + 1
        self._axes = [o + s * (np.arange(c) + 0.5) for o, s, c in zip(start, spacing, cells, strict=True)]
        self.low = start + lengths * spacing / 2
        self.high = self.low + (cells - lengths) * spacing

    @property
    def points(self) -> Float[np.ndarray, "m d"]:
        """The lattice, last axis fastest."""
        grid = np.meshgrid(*self._axes, indexing="ij")
        return np.stack(grid, axis=-1).reshape(-1, len(grid))

    def matrix(self, space: P1Space) -> sparse.csr_matrix:
        """Q̄ (N, M) from values at `points` to the means at the nodes of a space on Ω_δ."""
        steps = np.arange(space.n + 1) / space.n
        parts = [self._weights(a, space.low[a] + space.size[a] * steps) for a in range(space.dim)]
        return sparse.csr_matrix(reduce(lambda left, right: sparse.kron(left, right, format="csr"), parts))

    def mean(self, function: Function) -> Callable[[np.ndarray], np.ndarray]:
        """Q̄q as a function of points (M, d) of Ω_δ, of q from points to values; `UserError` where q is not finite."""
        starts = [low + s * np.arange(n) for low, s, n in zip(self.low, self._spacing, self._boxes, strict=True)]
        means = sample_source(function, self.points).reshape([len(axis) for axis in self._axes])
        for axis, kernel in enumerate(self._kernels):
            means = np.apply_along_axis(lambda row, k=kernel: np.convolve(row, k, "valid"), axis, means)
        interpolate = RegularGridInterpolator(starts, means)
        return lambda points: interpolate(np.clip(points, self.low, self.high))

    def _weights(self, axis: int, x: Float[np.ndarray, " n"]) -> sparse.csr_matrix:
        kernel, boxes = self._kernels[axis], self._boxes[axis]
        place = (x - self.low[axis]) / self._spacing[axis]
        first = np.clip(np.floor(place + 1e-9).astype(int), 0, boxes - 2)
        share = np.clip(place - first, 0, 1)[:, None]
        entries = (1 - share) * np.append(kernel, 0) + share * np.append(0, kernel)
        columns = first[:, None] + np.arange(len(kernel) + 1)
        shape = (len(x), len(self._axes[axis]))
        rows = np.arange(0, columns.size + 1, len(kernel) + 1)
        found = sparse.csr_matrix((entries.ravel(), columns.ravel(), rows), shape=shape)
        found.eliminate_zeros()
        return found


def box_fields(
    fine: AbstractField, source: Function, coefficient: Float[np.ndarray, "d d"], average: BoxAverage, space: P1Space
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Q̄u and y (N,) at the nodes of a P1 space on Ω_δ, where -∇·(K̃∇y) = Q̄q in Ω_δ and y = Q̄u on ∂Ω_δ.

    y is NaN where K̃ (d, d) is not positive definite.
    """
    means = average.mean(fine.values)(space.nodes)
    problem = CoarseProblem(space, space.load(average.mean(source)))
    if not problem.is_admissible(coefficient.ravel()):
        return means, np.full_like(means, np.nan)
    return means, problem.factorise(coefficient.ravel()).state(means)


def box_gap(
    fine: AbstractField, source: Function, coefficient: Float[np.ndarray, "d d"], average: BoxAverage, h: float
) -> float:
    """‖Q̄u - y‖/‖u‖ of `box_fields` by P1 elements of width h, the first norm over Ω_δ.

    NaN where K̃ (d, d) is not positive definite or u = 0.
    """
    space = P1Space(fine.dim, h, average.low, average.high)
    means, state = box_fields(fine, source, coefficient, average, space)
    integral = float(space.load(lambda points: np.ones(len(points))) @ (means - state) ** 2)
    return ratio(integral**0.5, fine.norms()[0])
