"""Upscaled coefficients by fine finite elements: the classical answers.

All are K̃_ij = |Y|⁻¹ ∫_Y K ∂_j w_i for solutions w_i of -∇·(K∇w_i) = 0 in a box Y that grow like x_i; they differ in
what w_i does on ∂Y.
"""

import numpy as np
from jaxtyping import Float, Int

from hpms.fem.fine.solve import assemble
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function
from hpms.fem.spd import solve

_PER_PERIOD = {1: 400, 2: 80, 3: 12}


def homogenised(coefficient: Function, periods: tuple[float, ...], cells: int | None = None) -> np.ndarray:
    """K* (d, d) of the periodic cell problem -∇·(K(e_i + ∇χ_i)) = 0, by P2 elements on `cells` cubes per period.

    The cell is stretched to (0,1)^d, where the equation has the coefficient K ℓ_a⁻² along axis a: K* is exact for the
    stretched elements, as every term of the integrals is scaled. Raises `UserError` as `assemble` does.
    """
    dim, lengths = len(periods), np.asarray(periods)
    return _periodic(dim, cells or _PER_PERIOD[dim], lambda points: coefficient(points * lengths), lengths)


def periodic(coefficient: Function, dim: int, n: int) -> np.ndarray:
    """K̃ (d, d) with w_i - x_i periodic in Ω = (0,1)^d, by P2 elements on n cubes per axis."""
    return _periodic(dim, n, coefficient, np.ones(dim))


def no_flow(coefficient: Function, dim: int, n: int) -> np.ndarray:
    """K̃_ii with w_i = x_i on the two faces across axis i and no flux through the others; NaN off the diagonal."""
    space, found = LagrangeSpace(dim, n, 2), np.full((dim, dim), np.nan)
    for axis in range(dim):
        free = _grid(space)[axis] % (2 * n) != 0
        place = np.where(free, np.cumsum(free) - 1, -1).astype(np.int32)
        found[axis, axis] = _upscaled(space, coefficient, place, np.ones(dim))[axis, axis]
    return found


def means(coefficient: Function, dim: int, periods: tuple[float, ...] | None) -> tuple[float, float]:
    """The arithmetic and the harmonic mean of K, over a period where there is one: bounds of K*."""
    counts = {1: 200_000, 2: 1_000, 3: 100}
    axis = (np.arange(counts[dim]) + 0.5) / counts[dim]
    points = np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    values = coefficient(points * np.asarray(periods or (1.0,) * dim))
    return float(values.mean()), float(1 / (1 / values).mean())


def _periodic(dim: int, n: int, coefficient: Function, lengths: Float[np.ndarray, " d"]) -> np.ndarray:
    space = LagrangeSpace(dim, n, 2)
    wrapped = np.stack(_grid(space)) % (2 * n)
    place = (
        np.asarray(np.ravel_multi_index(tuple(wrapped), (2 * n,) * dim)) - 1
    )  # the first is pinned: χ is known up to a constant
    return _upscaled(space, coefficient, place.astype(np.int32), lengths)


def _upscaled(
    space: LagrangeSpace, coefficient: Function, place: Int[np.ndarray, " n"], lengths: Float[np.ndarray, " d"]
) -> np.ndarray:
    """K̃ (d, d) where `place` numbers the free values of w_i - x_i."""
    system = assemble(space, coefficient, lambda points: np.zeros(len(points)), place, 1 / lengths)
    free = place >= 0
    loads = np.stack([np.bincount(place[free], weights=-moment[free]) for moment in system.moments])
    corrected = solve(system.matrix, loads, space.dim)
    return system.mean * np.eye(space.dim) - corrected @ loads.T


def _grid(space: LagrangeSpace) -> tuple[Int[np.ndarray, " n"], ...]:
    """The place of each unknown on the lattice, axis by axis."""
    return np.unravel_index(np.arange(space.size), (space.degree * space.n + 1,) * space.dim)
