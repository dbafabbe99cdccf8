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
    """A on the free unknowns; over all N: ∫ q φ (N,), the moments ∫ (K∇φ)_j (d, N); and the mean ∫ K (d, d)."""

    matrix: sparse.csr_matrix
    load: Float[np.ndarray, " n"]
    moments: Float[np.ndarray, "d n"]
    mean: Float[np.ndarray, "d d"]


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
    reaction: Function | None = None,
) -> FineSystem:
    """A_ij = ∫ ∇φ_i·K∇φ_j + ∫ c φ_iφ_j and what the right-hand sides are made of.

    K, q and the `reaction` c are evaluated at quadrature points (order 5), at most 2e5 at a time; K, a number or a
    tensor, is never interpolated. `place` is the
    number of each unknown in A, the same where two are one, and -1 where it is not free: `dirichlet` by default. With
    a `stretch` s the derivatives are s_a ∂_a.
    Raises `UserError` where K is not positive and finite, or q or c not finite.
    """
    barycentric, weights = space.rule(_ORDER)
    shape = space.shape(barycentric) * weights[:, None]
    place = dirichlet(space) if place is None else place
    dim, parts = space.dim, []
    load, moments, mean = np.zeros(space.size), np.zeros((dim, space.size)), np.zeros((dim, dim))
    mass = np.einsum("qi,qj->qij", space.shape(barycentric), shape).reshape(len(weights), -1)
    for simplex, cube in space.blocks(max(1, _POINTS // len(weights))):
        points = space.places(barycentric, cube, simplex).reshape(-1, space.dim)
        k = sample_coefficient(coefficient, points)
        k = k.reshape(len(cube), -1, *k.shape[1:])
        q = sample_source(source, points).reshape(len(cube), -1)
        unknowns, slopes = space.unknowns(cube, simplex), space.table(barycentric, simplex)
        slopes = slopes if stretch is None else slopes * stretch
        load += collect(unknowns, q @ shape, space.size)
        weighted = slopes * weights[:, None, None]
        for j, moment in enumerate(moments):
            moment += collect(unknowns, _along(k, weighted, j), space.size)
        mean += _mean(k, weights, dim)
        local = _stiffness(k, slopes, weighted)
        if reaction is not None:
            local += sample_source(reaction, points).reshape(len(cube), -1) @ mass
        parts.append(triplets(place[unknowns], local))
    entries, rows, columns = (np.concatenate(each) for each in zip(*parts, strict=True))
    shape = (int(place.max()) + 1,) * 2
    return FineSystem(sparse.csr_matrix((entries, (rows, columns)), shape=shape), load, moments, mean)


def solve_fine(
    space: LagrangeSpace,
    coefficient: Function,
    source: Function,
    lifts: int,
) -> FineSolution:
    """∫ K ∇u_i·∇φ = ∫ q φ - ∫ K e_i·∇φ for all φ, u_i = 0 on ∂Ω, w_i = u_i + x_i; u_1 is the solution u, Eq. (4.11).

    **Arguments:** `coefficient` K and `source` q map points (M, d) to values (M,), K also to tensors (M, d, d); u_i is
    found for the first `lifts` axes i. Errors as in `assemble` and `hpms.fem.spd.solve`.
    """
    start = time.perf_counter()
    system = assemble(space, coefficient, source)
    assembled = time.perf_counter()
    nodal = _solve(space, system, system.load - system.moments[:lifts])
    solved = time.perf_counter()
    upscaled = nodal @ system.moments.T + system.mean[:lifts]
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


def _along(k: Float[np.ndarray, "m q *t"], weighted: Float[np.ndarray, "q i d"], j: int) -> Float[np.ndarray, "m i"]:
    """∫ (K∇φ_i)_j on each element."""
    if k.ndim == 2:
        return k @ weighted[:, :, j]
    return sum(k[:, :, j, a] @ weighted[:, :, a] for a in range(weighted.shape[2]))  # type: ignore[return-value]


def _mean(k: Float[np.ndarray, "m q *t"], weights: Float[np.ndarray, " q"], dim: int) -> Float[np.ndarray, "d d"]:
    """∫ K on all of the elements."""
    return float((k @ weights).sum()) * np.eye(dim) if k.ndim == 2 else np.einsum("mqab,q->ab", k, weights)


def _stiffness(
    k: Float[np.ndarray, "m q *t"], slopes: Float[np.ndarray, "q i d"], weighted: Float[np.ndarray, "q i d"]
) -> Float[np.ndarray, "m k"]:
    """∫ ∇φ_i·K∇φ_j on each element."""
    dim, count = slopes.shape[2], len(slopes)
    if k.ndim == 2:
        return k @ np.einsum("qia,qja->qij", weighted, slopes).reshape(count, -1)
    parts = (
        k[:, :, a, b] @ np.einsum("qi,qj->qij", weighted[:, :, a], slopes[:, :, b]).reshape(count, -1)
        for a in range(dim)
        for b in range(dim)
    )
    return sum(parts)  # type: ignore[return-value]


def collect(unknowns: Int[np.ndarray, "m i"], values: Float[np.ndarray, "m i"], size: int) -> Float[np.ndarray, " n"]:
    """The sums of what elements give to each unknown."""
    return np.bincount(unknowns.ravel(), weights=values.ravel(), minlength=size)


def triplets(
    local: Int[np.ndarray, "m i"], entries: Float[np.ndarray, "m j"]
) -> tuple[Float[np.ndarray, " t"], Int[np.ndarray, " t"], Int[np.ndarray, " t"]]:
    """Entries, rows and columns of the element matrices, without those of boundary unknowns (-1)."""
    count = local.shape[1]
    rows, columns = np.repeat(local, count, axis=1).ravel(), np.tile(local, count).ravel()
    kept = (rows >= 0) & (columns >= 0)
    return entries.ravel()[kept], rows[kept], columns[kept]
