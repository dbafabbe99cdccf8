"""The coarse state and its adjoint on coarse meshes against fine ones, for the exact u: Theorem 3.6 in h."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from math import ceil
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy import sparse

from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.direct import factorise
from hpms.fem.field import AbstractField, LagrangeField
from hpms.fem.fine import cache
from hpms.fem.fine.average import ball_means
from hpms.fem.fine.baseline import element_rule
from hpms.fem.fine.reference import Reference
from hpms.fem.fine.solve import assemble
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.p1 import P1Space
from hpms.fem.rules import panels, tensor
from hpms.fem.sample import Function
from hpms.fem.validation import ratio, relative_errors

_FINER, _PANELS_PER_CELL = {1: 4, 2: 1, 3: 1}, {1: 4, 2: 2, 3: 2}
_PER_SCALE, _MOST_PANELS = 4, {1: 20_000, 2: 400, 3: 16}
_ORDER = 2


@dataclass(frozen=True)
class CoarseErrors:
    """Relative errors (M,) for M meshes of width `h`, with u^ε itself in place of a network.

    `state_l2`, `state_h1`: y_h of Eq. (3.17) against y, in L² and of the gradient, the norm of Eq. (3.20).
    `adjoint_l2`, `adjoint_h1`: p_h of Eq. (3.18), -K̃₁₁Δp = 2(Q̄_δ u - y), with R_δ of Eq. (2.10), the norm of Eq.
    (3.21); τ₂ cancels. `gradient`: |∫ ∇p_h·∇y_h - ∫ ∇p·∇y| / (‖∇p‖‖∇y‖), where p_h^T A y_h = ∫ ∇p_h·∇y_h is the
    adjoint part of the loss's derivative in K̃₁₁, Eq. (4.28). `nodal_adjoint_h1`, `nodal_gradient`: the same with the
    sum of Eq. (3.25) over the nodes, each with the weight |Ω|/N_h, in place of the integral: what is trained.
    """

    h: Float[np.ndarray, " m"]
    state_l2: Float[np.ndarray, " m"]
    state_h1: Float[np.ndarray, " m"]
    adjoint_l2: Float[np.ndarray, " m"]
    adjoint_h1: Float[np.ndarray, " m"]
    gradient: Float[np.ndarray, " m"]
    nodal_adjoint_h1: Float[np.ndarray, " m"]
    nodal_gradient: Float[np.ndarray, " m"]


def coarse_errors(
    found: Reference,
    source: Function,
    widths: Sequence[float],
    delta: float,
    scale: float,
    cache_dir: str | Path,
    key: str,
) -> CoarseErrors:
    """The errors on meshes of the given widths h (the nearest 1/n), from a file in `cache_dir` where one holds them.

    **Arguments:** the reference u and y, the source q, δ of the averages, the length `scale` ε over which u varies, and
    a `key` that names all but the widths, δ and ε. p is found with P2 elements on the finest of the meshes (in 1-D, on
    one four times as fine). All NaN where K̃₁₁ <= 0.
    """
    cells = [max(2, round(1 / h)) for h in widths]
    names = [field.name for field in fields(CoarseErrors)]
    upscaled = float(found.upscaled_coefficient[0, 0])
    if not upscaled > 0:
        nothing = np.full(len(cells), np.nan)
        return CoarseErrors(**{name: nothing for name in names} | {"h": 1 / np.array(cells, float)})
    path = Path(cache_dir) / f"{key}_coarse_{delta:.10g}.h5"
    mark = f"{key} coarse {found.method} {found.h!r} {cells} {delta!r} {scale!r}"
    if (stored := cache.load(path, mark, names)) is not None:
        return CoarseErrors(**stored)
    averaged = _Averaged(found, max(cells), delta, scale)
    exact = averaged.adjoint(_FINER[found.coarse.dim] * max(cells), upscaled)
    rows = [_errors(found, source, averaged, exact, n, upscaled) for n in cells]
    result = CoarseErrors(1 / np.array(cells, float), *np.array(rows).T)
    cache.save(path, mark, {name: getattr(result, name) for name in names})
    return result


class _Averaged:
    """Q̄_δ u and y at quadrature points of Ω whose panels end at the nodes of the finest mesh and at the frame."""

    def __init__(self, found: Reference, cells: int, delta: float, scale: float):
        dim = found.coarse.dim
        wanted = cells * max(_PANELS_PER_CELL[dim], ceil(_PER_SCALE / scale / cells))
        count = min(wanted, max(cells, _MOST_PANELS[dim]))
        edges = np.unique(np.round([*np.arange(count + 1) / count, delta / 2, 1 - delta / 2], 14))
        rules = [panels(low, high, 1, _ORDER) for low, high in pairwise(edges)]
        points, weights = (np.concatenate(arrays) for arrays in zip(*rules, strict=True))
        self.fine, self.delta, self.scale = found.fine, delta, scale
        self.points, self.weights = tensor(dim, points, weights)
        self.means = self.at(self.points)
        self.coarse = found.coarse.values(self.points)

    def at(self, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """Q̄_δ u."""
        return ball_means(self.fine, points, self.delta, self.scale)

    def load(self, space: LagrangeSpace, y: Float[np.ndarray, " q"]) -> Float[np.ndarray, " n"]:
        """∫ 2 (Q̄_δ u - y) φ_i, from y at the quadrature points."""
        unknowns, place = space.locate(self.points)
        values = (2 * self.weights * (self.means - y))[:, None] * space.shape(place.barycentric)
        return np.bincount(unknowns.ravel(), weights=values.ravel(), minlength=space.size)

    def adjoint(self, cells: int, upscaled: float) -> LagrangeField:
        """p with P2 elements."""
        space = LagrangeSpace(self.fine.dim, cells, 2)
        matrix = assemble(space, lambda x: np.ones(len(x)), lambda x: np.zeros(len(x))).matrix
        nodal, inner = np.zeros(space.size), space.interior
        nodal[inner] = factorise(sparse.csc_matrix(matrix)).solve(self.load(space, self.coarse)[inner]) / upscaled
        return LagrangeField(space, nodal)


def _errors(
    found: Reference, source: Function, averaged: _Averaged, exact: LagrangeField, n: int, upscaled: float
) -> list[float]:
    """A row of `CoarseErrors`, without h."""
    dim = found.coarse.dim
    space, lagrange = P1Space(dim, 1 / n), LagrangeSpace(dim, n, 1)
    solver = CoarseProblem(space, space.load(source)).factorise(upscaled * np.eye(dim).ravel())
    y = LagrangeField(lagrange, solver.state())
    p = LagrangeField(lagrange, solver.adjoint(averaged.load(lagrange, y.values(averaged.points))))
    mismatch = 2 / len(space.nodes) * (averaged.at(space.nodes) - y.data)
    nodal = LagrangeField(lagrange, solver.adjoint(mismatch))
    points, weights = element_rule(lagrange)
    reference, adjoint = found.coarse.evaluate(points), exact.evaluate(points)
    slope = weights @ (reference[1] * adjoint[1]).sum(axis=1)
    size = (weights @ reference[1] ** 2).sum() ** 0.5 * (weights @ adjoint[1] ** 2).sum() ** 0.5

    def errors(field: AbstractField, of: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
        return relative_errors(*field.evaluate(points), *of, weights)

    def gradient(field: LagrangeField) -> float:
        return ratio(abs(solver.contraction(y.data, field.data) @ np.eye(dim).ravel() - slope), size)

    return [
        *errors(y, reference),
        *errors(p, adjoint),
        gradient(p),
        errors(nodal, adjoint)[1],
        gradient(nodal),
    ]
