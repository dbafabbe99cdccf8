"""A flux that carries given sources and boundary fluxes, cell by cell: the least in the norm of K^{-1}, nearly.

Find τ in the lowest-order Raviart-Thomas space on a grid of boxes, with p on the cells, such that

    -∇·τ + c p = ρ in each cell,   τ·n + a e = γ on faces with a condition for the flux,   e = 0 on the others,

by cell-centred finite volumes: τ = (p_j - p_i)/(H k) between two cells, k the mean of theirs, and (e - p)/(H k/2)
beside ∂Ω. What conjugate gradients leave of the first equation is `rest`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg, spsolve

from hpms.bound.cells import Cells
from hpms.fem.faces import Face

_TOLERANCE, _MOST = 1e-9, 500


@dataclass(frozen=True)
class FaceFlux:
    """γ and the rate a, per cell beside the face."""

    value: Float[np.ndarray, " n"]
    rate: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Equilibrated:
    """Per cell (of the grid's shape): for each axis the flux τ_a through its `low` and `high` side, p, what is left of
    the equation, and for each face with a condition for the flux e there.
    """

    low: tuple[np.ndarray, ...]
    high: tuple[np.ndarray, ...]
    pressure: np.ndarray
    rest: np.ndarray
    trace: dict[Face, np.ndarray]


def equilibrated(
    cells: Cells,
    density: Float[np.ndarray, "..."],
    resistance: Sequence[Float[np.ndarray, "..."]],
    reaction: Float[np.ndarray, "..."],
    fluxes: Mapping[Face, FaceFlux],
    periodic: Sequence[int],
) -> Equilibrated:
    """τ for the densities ρ, the resistances k along each axis and the rates c per cell, in arrays of the grid's shape;
    faces that are neither in `fluxes` nor across a `periodic` axis have e = 0.
    """
    grid = _Grid(cells, resistance, reaction, fluxes, periodic)
    rhs = density - grid.equation(np.zeros(cells.counts), fluxes)
    if grid.floats:
        rhs = rhs - rhs.mean()
    p = grid.solved(rhs) if cells.dim == 1 else grid.iterated(rhs)
    low, high, trace = grid.through(p, fluxes)
    return Equilibrated(low, high, p, density - grid.equation(p, fluxes), trace)


class _Grid:
    """The finite volumes, with an inverse of the same with constant numbers by diagonalisation along each axis."""

    def __init__(
        self,
        cells: Cells,
        resistance: Sequence[np.ndarray],
        reaction: np.ndarray,
        fluxes: Mapping[Face, FaceFlux],
        periodic: Sequence[int],
    ):
        self._widths, self._counts, self._resistance, self._reaction = cells.widths, cells.counts, resistance, reaction
        self._fluxes, self._periodic = fluxes, periodic
        held = [f for f in np.ndindex(cells.dim, 2) if f not in fluxes and f[0] not in periodic]
        self.floats = not held and not reaction.any() and not any(each.rate.any() for each in fluxes.values())
        if cells.dim == 1:
            return
        parts = [self._along(axis) for axis in range(cells.dim)]
        self._turns = [vectors for _, vectors in parts]
        sums = reduce(np.add.outer, [values for values, _ in parts]) + reaction.mean()
        self._inverse = np.where(sums > 1e-12 * sums.max(), 1 / np.where(sums > 0, sums, 1), 0)

    def through(
        self, p: np.ndarray, data: Mapping[Face, FaceFlux] | None
    ) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], dict[Face, np.ndarray]]:
        """τ_a at the low and high side of each cell, and e; `data` None are zero."""
        lows, highs, trace = [], [], {}
        for axis, (width, k) in enumerate(zip(self._widths, self._resistance, strict=True)):
            q, r = np.moveaxis(p, axis, 0), np.moveaxis(k, axis, 0)
            between = 2 * (np.roll(q, -1, axis=0) - q) / (width * (np.roll(r, -1, axis=0) + r))
            low, high = np.roll(between, 1, axis=0), between.copy()
            if axis not in self._periodic:
                for end, side, sign in ((0, low, 1.0), (1, high, -1.0)):
                    at = -end
                    inner = 2 / (width * r[at])
                    if (each := self._fluxes.get((axis, end))) is None:
                        side[at] = sign * inner * q[at]
                        continue
                    shape = q[at].shape
                    rate = each.rate.reshape(shape)
                    given = 0.0 if data is None else each.value.reshape(shape)
                    e = (given + inner * q[at]) / (rate + inner)
                    trace[axis, end] = np.asarray(e)
                    side[at] = -sign * (given - rate * e)
            lows.append(np.moveaxis(low, 0, axis))
            highs.append(np.moveaxis(high, 0, axis))
        return tuple(lows), tuple(highs), trace

    def equation(self, p: np.ndarray, data: Mapping[Face, FaceFlux] | None) -> np.ndarray:
        """-∇·τ + c p."""
        low, high, _ = self.through(p, data)
        sides = zip(low, high, self._widths, strict=True)
        return self._reaction * p - sum((above - below) / width for below, above, width in sides)

    def solved(self, r: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """p on a line; where nothing fixes a constant p = 0 in the first cell."""
        (width,), (k,), n = self._widths, self._resistance, r.size
        between = 2 / (width**2 * (np.roll(k, -1) + k))
        if 0 not in self._periodic:
            between[-1] = 0
        diagonal = self.equation(np.ones(n), None) + between + np.roll(between, 1)
        diagonal[0] += diagonal[0] if self.floats else 0
        here = np.arange(n)
        there = (here + 1) % n
        entries = np.concatenate([diagonal, -between, -between])
        places = np.concatenate([here, here, there]), np.concatenate([here, there, here])
        matrix = sparse.csc_matrix((entries, places), shape=(n, n))
        return np.asarray(spsolve(matrix, r))

    def iterated(self, r: np.ndarray) -> np.ndarray:
        """p by conjugate gradients."""
        if not r.any():
            return r
        shape = (r.size, r.size)
        product = LinearOperator(shape, lambda p: self.equation(p.reshape(r.shape), None).ravel())
        near = LinearOperator(shape, lambda q: self.near_inverse(q.reshape(r.shape)).ravel())
        return cg(product, r.ravel(), rtol=_TOLERANCE, atol=0.0, maxiter=_MOST, M=near)[0].reshape(r.shape)

    def near_inverse(self, r: np.ndarray) -> np.ndarray:
        turned = r
        for axis, vectors in enumerate(self._turns):
            turned = np.moveaxis(np.tensordot(vectors.T, turned, axes=(1, axis)), 0, axis)
        turned = self._inverse * turned
        for axis, vectors in enumerate(self._turns):
            turned = np.moveaxis(np.tensordot(vectors, turned, axes=(1, axis)), 0, axis)
        return turned

    def _along(self, axis: int) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues and vectors of the matrix along an axis, with the geometric mean of the resistances."""
        n, width = self._counts[axis], self._widths[axis]
        k = float(np.exp(np.log(self._resistance[axis]).mean()))
        matrix = np.zeros((n, n))
        for i in range(n - (axis not in self._periodic)):
            j = (i + 1) % n
            matrix[[i, j], [i, j]] += 1
            matrix[i, j] -= 1
            matrix[j, i] -= 1
        if axis not in self._periodic:
            for end in (0, 1):
                each = self._fluxes.get((axis, end))
                rate = None if each is None else float(each.rate.mean()) * k * width
                matrix[-end, -end] += 2.0 if rate is None else 2 * rate / (rate + 2)
        values, vectors = np.linalg.eigh(matrix / (k * width**2))
        return np.maximum(values, 0), vectors
