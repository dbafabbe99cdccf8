"""Upscaled coefficients by fine finite elements: the classical answers.

All are K̃_ij = |Y|⁻¹ ∫_Y K ∂_j w_i for solutions w_i of -∇·(K∇w_i) = 0 in a box Y that grow like x_i; they differ in
what w_i does on ∂Y. The box is stretched to (0,1)^d, where the derivatives are ℓ_a⁻¹ ∂_a.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from hpms.fem.field import LagrangeField
from hpms.fem.fine.solve import assemble, dirichlet
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function
from hpms.fem.spd import solve
from hpms.fem.tensors import harmonic_mean

_PER_PERIOD = {1: 400, 2: 80, 3: 12}


@dataclass(frozen=True)
class Box:
    """Y with its corner `low` and its sides ℓ (d,), to be cut into `n` P2 elements along each axis."""

    low: Float[np.ndarray, " d"]
    sides: Float[np.ndarray, " d"]
    n: int

    @property
    def dim(self) -> int:
        return len(self.sides)

    def inside(self, coefficient: Function) -> Function:
        """K as a function on (0,1)^d."""
        return lambda points: coefficient(self.low + self.sides * points)


def unit_box(dim: int, n: int) -> Box:
    """Ω."""
    return Box(np.zeros(dim), np.ones(dim), n)


def period_box(periods: tuple[float, ...], n: int | None = None) -> Box:
    """A period of K, with elements that give K* to six digits for smooth K in 2-D."""
    return Box(np.zeros(len(periods)), np.asarray(periods), n or _PER_PERIOD[len(periods)])


@dataclass(frozen=True)
class Cell:
    """K̃ (d, d), and χ_i = w_i - x_i as functions on (0,1)^d, in units of length."""

    tensor: Float[np.ndarray, "d d"]
    correctors: tuple[LagrangeField, ...]


def periodic(coefficient: Function, box: Box) -> Cell:
    """χ_i periodic, of mean 0: -∇·(K(e_i + ∇χ_i)) = 0. Over a period the tensor is K*.

    Raises `UserError` as `assemble` does.
    """
    space = LagrangeSpace(box.dim, box.n, 2)
    tensor, nodal, share = _solved(coefficient, box, space, wrapped(space))
    return Cell(tensor, tuple(LagrangeField(space, values - values @ share) for values in nodal))


def linear(coefficient: Function, box: Box) -> Float[np.ndarray, "d d"]:
    """K̃ with w_i = x_i on ∂Y."""
    space = LagrangeSpace(box.dim, box.n, 2)
    return _solved(coefficient, box, space, dirichlet(space))[0]


def no_flow(coefficient: Function, box: Box) -> Float[np.ndarray, "d d"]:
    """K̃_ii with w_i = x_i on the two faces across axis i and no flux through the others; NaN off the diagonal."""
    space, found = LagrangeSpace(box.dim, box.n, 2), np.full((box.dim, box.dim), np.nan)
    for axis in range(box.dim):
        free = _grid(space)[axis] % (2 * box.n) != 0
        place = np.where(free, np.cumsum(free) - 1, -1).astype(np.int32)
        found[axis, axis] = _solved(coefficient, box, space, place)[0][axis, axis]
    return found


def means(
    coefficient: Function, dim: int, periods: tuple[float, ...] | None
) -> tuple[Float[np.ndarray, "*t"], Float[np.ndarray, "*t"]]:
    """The arithmetic and the harmonic mean of K, over a period where there is one: bounds of K*."""
    counts = {1: 200_000, 2: 1_000, 3: 100}
    axis = (np.arange(counts[dim]) + 0.5) / counts[dim]
    points = np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
    values = coefficient(points * np.asarray(periods or (1.0,) * dim))
    return np.asarray(values.mean(axis=0)), harmonic_mean(values)


def wrapped(space: LagrangeSpace) -> Int[np.ndarray, " n"]:
    """The numbers of unknowns that repeat along each axis, of which the first is pinned, -1."""
    count = space.degree * space.n
    places = np.stack(_grid(space)) % count
    return (np.asarray(np.ravel_multi_index(tuple(places), (count,) * space.dim)) - 1).astype(np.int32)


def _solved(
    coefficient: Function, box: Box, space: LagrangeSpace, place: Int[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, "d d"], Float[np.ndarray, "d n"], Float[np.ndarray, " n"]]:
    """K̃, the χ_i where `place` numbers their free values, and ∫φ over (0,1)^d."""
    system = assemble(space, box.inside(coefficient), lambda points: np.ones(len(points)), place, 1 / box.sides)
    free = place >= 0
    loads = np.stack([np.bincount(place[free], weights=-moment[free]) for moment in system.moments])
    corrected = solve(system.matrix, loads, space.dim)
    tensor = system.mean - corrected @ loads.T
    return tensor, np.where(free, corrected[:, np.maximum(place, 0)], 0.0), system.load


def _grid(space: LagrangeSpace) -> tuple[Int[np.ndarray, " n"], ...]:
    """The place of each unknown on the lattice, axis by axis."""
    return np.unravel_index(np.arange(space.size), (space.degree * space.n + 1,) * space.dim)
