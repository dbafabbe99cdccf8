"""Averages over boxes of whole periods on a lattice, and the inner domain on which they exist."""

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.interpolate import RegularGridInterpolator

from hpms.fem.coarse.nested import Nested
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.field import AbstractField
from hpms.fem.p1 import P1Space
from hpms.fem.sample import Function, sample_source
from hpms.fem.validation import ratio

_MOST_LATTICE, _LARGEST_LATTICE, _CHUNK = 2_000_000, 20_000_000, 1_000_000


class BoxAverage:
    """(Q̄u)(x), the mean of u over the box of sides b around x, from values on a lattice of spacing b_a/m_a.

    Per axis the lattice has as many cells as fit into (0,1), centred, and u is taken at their midpoints. The mean over
    m cells is known where a box begins with a cell and interpolated linearly between: wherever x lies, linear functions
    are averaged exactly, and so are functions of period b, below their m-th harmonic. With `hat` the mean of the means
    over the same box, a hat of about twice the width.

    **Arguments:** the sides b (d,), the counts m (d,) >= 1. Raises `ValueError` where the box does not fit into Ω.
    **Attributes:** the corners `low`, `high` (d,) of Ω_δ, the largest box of admissible x.
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

    def sampled(self, space: P1Space) -> tuple[Float[np.ndarray, "m d"], sparse.csr_matrix]:
        """The lattice points in the boxes around the nodes of a space on Ω_δ, last axis fastest, and Q̄ (N, M) from
        values there to the means at the nodes.
        """
        steps = np.arange(space.n + 1) / space.n
        parts = [self._weights(a, space.low[a] + space.size[a] * steps) for a in range(space.dim)]
        used = [np.flatnonzero(part.getnnz(axis=0)) for part in parts]
        points = _product([axis[u] for axis, u in zip(self._axes, used, strict=True)])
        parts = [sparse.csr_matrix(part[:, u]) for part, u in zip(parts, used, strict=True)]
        matrix = reduce(lambda left, right: sparse.kron(left, right, format="csr"), parts)
        return points, sparse.csr_matrix(matrix)

    def mean(self, function: Function) -> Callable[[np.ndarray], np.ndarray]:
        """Q̄q as a function of points (M, d) of Ω_δ, of q from points to values; `UserError` where q is not finite.

        By running means over the whole lattice, or over the boxes around the points where the lattice has more than 2e6
        points and more than these.
        """
        size, each = prod(map(len, self._axes)), prod(len(kernel) + 1 for kernel in self._kernels)
        if size <= _MOST_LATTICE:
            return self._everywhere(function)

        def averaged(points: np.ndarray) -> np.ndarray:
            if size <= min(_LARGEST_LATTICE, len(points) * each):
                return self._everywhere(function)(points)
            return self._around(function, np.clip(points, self.low, self.high))

        return averaged

    def _everywhere(self, function: Function) -> Callable[[np.ndarray], np.ndarray]:
        starts = [low + s * np.arange(n) for low, s, n in zip(self.low, self._spacing, self._boxes, strict=True)]
        means = sample_source(function, _product(self._axes)).reshape([len(axis) for axis in self._axes])
        for axis, kernel in enumerate(self._kernels):
            means = np.apply_along_axis(lambda row, k=kernel: np.convolve(row, k, "valid"), axis, means)
        interpolate = RegularGridInterpolator(starts, means)
        return lambda points: interpolate(np.clip(points, self.low, self.high))

    def _around(self, function: Function, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        windows = [self._window(axis, x) for axis, x in enumerate(points.T)]
        shape = tuple(entries.shape[1] for entries, _ in windows)
        means = np.empty(len(points))
        size = max(1, _CHUNK // prod(shape))
        for part in (slice(start, start + size) for start in range(0, len(points), size)):
            places = [axis[columns[part]] for axis, (_, columns) in zip(self._axes, windows, strict=True)]
            count = len(places[0])
            grid = [
                np.broadcast_to(x.reshape(count, *[-1 if a == b else 1 for b in range(len(shape))]), (count, *shape))
                for a, x in enumerate(places)
            ]
            values = sample_source(function, np.stack(grid, axis=-1).reshape(-1, len(shape))).reshape(count, *shape)
            for entries, _ in windows:
                values = np.einsum("mk...,mk->m...", values, entries[part])
            means[part] = values
        return means

    def _window(self, axis: int, x: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, "n k"], Int[np.ndarray, "n k"]]:
        """The weights of the mean around each x along an axis, and the lattice points that these belong to."""
        kernel, boxes = self._kernels[axis], self._boxes[axis]
        place = (x - self.low[axis]) / self._spacing[axis]
        first = np.clip(np.floor(place + 1e-9).astype(int), 0, boxes - 2)
        share = np.clip(place - first, 0, 1)[:, None]
        entries = (1 - share) * np.append(kernel, 0) + share * np.append(0, kernel)
        return entries, first[:, None] + np.arange(len(kernel) + 1)

    def _weights(self, axis: int, x: Float[np.ndarray, " n"]) -> sparse.csr_matrix:
        entries, columns = self._window(axis, x)
        rows = np.arange(0, columns.size + 1, columns.shape[1])
        found = sparse.csr_matrix((entries.ravel(), columns.ravel(), rows), shape=(len(x), len(self._axes[axis])))
        found.eliminate_zeros()
        return found


def _product(axes: Sequence[np.ndarray]) -> Float[np.ndarray, "m d"]:
    """All points with a coordinate of each axis, last axis fastest."""
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def box_fields(
    fine: AbstractField, source: Function, coefficient: Float[np.ndarray, "d d"], average: BoxAverage, nested: Nested
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Q̄u and y (N,) at the wide nodes of meshes on Ω_δ, where -∇·(K̃∇y) = Q̄q in Ω_δ by P1 elements on the fine mesh, and
    y = Q̄u on ∂Ω_δ, interpolated between the wide nodes.

    y is NaN where K̃ (d, d) is not positive definite.
    """
    means = average.mean(fine.values)(nested.wide.nodes)
    problem = CoarseProblem(nested.fine, nested.fine.load(average.mean(source)))
    if not problem.is_admissible(coefficient.ravel()):
        return means, np.full_like(means, np.nan)
    return means, problem.factorise(coefficient.ravel()).state(nested.interpolation @ means)[nested.places]


def box_gap(
    fine: AbstractField, source: Function, coefficient: Float[np.ndarray, "d d"], average: BoxAverage, h: float
) -> float:
    """‖Q̄u - y‖/‖u‖ of `box_fields` by P1 elements of width h, with all their nodes, the first norm over Ω_δ.

    NaN where K̃ (d, d) is not positive definite or u = 0.
    """
    nested = Nested(fine.dim, h, h, average.low, average.high)
    means, state = box_fields(fine, source, coefficient, average, nested)
    integral = float(nested.wide.load(lambda points: np.ones(len(points))) @ (means - state) ** 2)
    return ratio(integral**0.5, fine.norms()[0])
