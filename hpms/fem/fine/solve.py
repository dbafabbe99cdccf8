"""The fine finite element solution of the lifted problems, Eqs. (4.8), (4.10), (4.11)."""

import time
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from hpms.fem.field import AbstractField, LagrangeField
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.sample import Function, sample_coefficient, sample_source
from hpms.fem.spd import solve

_ORDER = 5
_POINTS = 200_000


@dataclass(frozen=True)
class FineSystem:
    """A on the free unknowns; over all N: ∫ q φ (N,), the moments ∫ K ∂_jφ (d, N); and the mean ∫ K."""

    matrix: sparse.csr_matrix
    load: Float[np.ndarray, " n"]
    moments: Float[np.ndarray, "d n"]
    mean: float


@dataclass(frozen=True)
class FineSolution:
    """u_i = w_i - x_i for i = 1..k, K̃_ij = ∫ K ∂_j w_i (k, d), and the seconds that it took."""

    lifted: tuple[AbstractField, ...]
    upscaled_coefficient: Float[np.ndarray, "k d"]
    unknowns: int
    assemble_seconds: float
    solve_seconds: float


def dirichlet(space: LagrangeSpace) -> Int[np.ndarray, " n"]:
    """The number of each unknown among those in Ω, -1 on ∂Ω."""
    place = np.full(space.size, -1, dtype=np.int32)
    place[space.interior] = np.arange(len(space.interior), dtype=np.int32)
    return place


def assemble(
    space: LagrangeSpace,
    coefficient: Function,
    source: Function,
    place: Int[np.ndarray, " n"] | None = None,
    stretch: Float[np.ndarray, " d"] | None = None,
) -> FineSystem:
    """A_ij = ∫ K ∇φ_j·∇φ_i and what the right-hand sides are made of.

    K and q are evaluated at quadrature points (order 5), at most 2e5 at a time; K is never interpolated. `place` is the
    number of each unknown in A, the same where two are one, and -1 where it is not free: `dirichlet` by default. With
    a `stretch` s the derivatives are s_a ∂_a.
    Raises `UserError` where K is not positive and finite, or q not finite.
    """
    barycentric, weights = space.rule(_ORDER)
    shape = space.shape(barycentric) * weights[:, None]
    place = dirichlet(space) if place is None else place
    load, moments, mean, triplets = np.zeros(space.size), np.zeros((space.dim, space.size)), 0.0, []
    for simplex, cube in space.blocks(max(1, _POINTS // len(weights))):
        points = space.places(barycentric, cube, simplex).reshape(-1, space.dim)
        k = sample_coefficient(coefficient, points).reshape(len(cube), -1)
        q = sample_source(source, points).reshape(len(cube), -1)
        unknowns, slopes = space.unknowns(cube, simplex), space.table(barycentric, simplex)
        slopes = slopes if stretch is None else slopes * stretch
        load += _collect(unknowns, q @ shape, space.size)
        for moment, slope in zip(moments, np.moveaxis(slopes, 2, 0), strict=True):
            moment += _collect(unknowns, k @ (slope * weights[:, None]), space.size)
        mean += float((k @ weights).sum())
        stiffness = np.einsum("qia,qja,q->qij", slopes, slopes, weights).reshape(len(weights), -1)
        triplets.append(_triplets(place[unknowns], k @ stiffness))
    entries, rows, columns = (np.concatenate(parts) for parts in zip(*triplets, strict=True))
    shape = (int(place.max()) + 1,) * 2
    return FineSystem(sparse.csr_matrix((entries, (rows, columns)), shape=shape), load, moments, mean)


def solve_fine(
    space: LagrangeSpace,
    coefficient: Function,
    source: Function,
    lifts: int,
) -> FineSolution:
    """∫ K ∇u_i·∇φ = ∫ q φ - ∫ K e_i·∇φ for all φ, u_i = 0 on ∂Ω, w_i = u_i + x_i; u_1 is the solution u, Eq. (4.11).

    **Arguments:** `coefficient` K and `source` q map points (M, d) to values (M,); u_i is found for the first `lifts`
    axes i. Errors as in `assemble` and `hpms.fem.spd.solve`.
    """
    start = time.perf_counter()
    system = assemble(space, coefficient, source)
    assembled = time.perf_counter()
    nodal = _solve(space, system, system.load - system.moments[:lifts])
    solved = time.perf_counter()
    upscaled = nodal @ system.moments.T + system.mean * np.eye(space.dim)[:lifts]
    fields = tuple(LagrangeField(space, u) for u in nodal)
    return FineSolution(fields, upscaled, len(space.interior), assembled - start, solved - assembled)


def solve_homogeneous(space: LagrangeSpace, source: Function, coefficient: float) -> LagrangeField:
    """y with -∇·(k ∇y) = q, y = 0 on ∂Ω, for one number k: the coarse state on a fine mesh."""
    system = assemble(space, lambda points: np.ones(len(points)), source)
    return LagrangeField(space, _solve(space, system, system.load[None])[0] / coefficient)


def _solve(space: LagrangeSpace, system: FineSystem, loads: Float[np.ndarray, "k n"]) -> Float[np.ndarray, "k n"]:
    nodal, inner = np.zeros_like(loads), space.interior
    nodal[:, inner] = solve(system.matrix, loads[:, inner], space.dim)
    return nodal


def _collect(unknowns: Int[np.ndarray, "m i"], values: Float[np.ndarray, "m i"], size: int) -> Float[np.ndarray, " n"]:
    return np.bincount(unknowns.ravel(), weights=values.ravel(), minlength=size)


def _triplets(
    local: Int[np.ndarray, "m i"], entries: Float[np.ndarray, "m j"]
) -> tuple[Float[np.ndarray, " t"], Int[np.ndarray, " t"], Int[np.ndarray, " t"]]:
    """Entries, rows and columns of the element matrices, without those of boundary unknowns (-1)."""
    count = local.shape[1]
    rows, columns = np.repeat(local, count, axis=1).ravel(), np.tile(local, count).ravel()
    kept = (rows >= 0) & (columns >= 0)
    return entries.ravel()[kept], rows[kept], columns[kept]
