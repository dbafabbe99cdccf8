"""The weak form of elasticity on a grid of a box: the equation tested with vectors of hats."""

from dataclasses import replace
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy import sparse

from hpms.coupling.weak import AbstractWeakForm
from hpms.coupling.weak_box import axis_rules, load
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.coarse.q1 import Q1Space
from hpms.fem.coarse.rules import element_rule
from hpms.fem.coarse.vectors import VectorSpace
from hpms.fem.elastic.moduli import stress
from hpms.fem.faces import Face, faces
from hpms.problem.components import ComponentConditions
from hpms.problem.lifted import LiftedProblem


class ElasticWeakForm(AbstractWeakForm):
    """∫ σ(w):∇(φ_m e_i) - ∫ q_i φ_m - ∫_Γ t_i φ_m on hats of the width h, with quadrature as `BoxWeakForm` has it.

    The norm is that of an upscaled stiffness, or without one of the same form with means of the moduli, the geometric
    ones of 2μ and dλ + 2μ in each group of points.
    """

    has_rate = False

    def __init__(self, problem: LiftedProblem, h: float, periods: tuple[float, ...] | None, count: int | None):
        self.problem, sides = problem, problem.domain.sides
        self._grid = grid = Q1Space(sides, h, ())
        self._scalar = element_rule(grid, axis_rules(problem, grid, periods, count), ())
        self.space = self._space = VectorSpace(grid, _held(problem))
        self.rule = replace(self._scalar, corners=self._space.corners, tables=_of_vectors(self._scalar.tables))

    def load(self) -> Float[np.ndarray, " n"]:
        return load(self.problem, self._grid).ravel()

    def assembled(self, value: Float[np.ndarray, "m l"], slope: Float[np.ndarray, "m l d"]) -> Float[np.ndarray, "r k"]:
        each = stress(self.coefficient, slope).reshape(*self.rule.points.shape[:3], -1, self.space.dim**2)
        groups = np.pad(each.mean(axis=2), [(0, 0), (0, 0), (0, 0), (0, 1)]).swapaxes(2, 3)
        return self.rule.assembled(groups, len(self.space.nodes))[self.space.interior]

    def norm(self, basis: Float[np.ndarray, "p c a b"] | None, cells: tuple[int, ...]) -> CoarseProblem:
        load = np.zeros(len(self.space.nodes))
        if basis is None or len(basis):
            return CoarseProblem(self.space, load, basis, cells)
        size = len(self.space.stiffness)
        return CoarseProblem(self.space, load, np.zeros((0, 1, size, size)), cells, self._base)

    @cached_property
    def _base(self) -> sparse.csr_matrix:
        dim, size = self.space.dim, len(self.space.nodes)
        lam, mu = self.coefficient.reshape(*self.rule.points.shape[:3], 2).transpose(3, 0, 1, 2)
        shear, bulk = (np.exp(np.log(each).mean(axis=2)) for each in (2 * mu, dim * lam + 2 * mu))
        lam, mu = (bulk - shear) / dim, shear / 2
        table = self._scalar.tables[0]
        weights = table[..., -1].sum(axis=-1)
        pairs = np.einsum("gmi,gnj,g->ijgmn", table[..., :dim], table[..., :dim], 1 / weights)
        turned = np.einsum("eg,aagmn->emn", mu, pairs)
        local = np.einsum("eg,ijgmn->eminj", lam, pairs) + np.einsum("eg,jigmn->eminj", mu, pairs)
        local += np.einsum("emn,ij->eminj", turned, np.eye(dim))
        corners = self._space.corners
        rows = np.repeat(corners[:, :, None], corners.shape[1], axis=2)
        entries = (local.ravel(), (rows.ravel(), np.swapaxes(rows, 1, 2).ravel()))
        return sparse.csr_matrix(entries, shape=(size, size))


def _held(problem: LiftedProblem) -> list[list[Face]]:
    """The faces on which each component of w is given, all where w = E_l x on ∂Ω."""
    if problem.conditions is None:
        return [faces(problem.domain.dim)] * problem.domain.dim
    assert isinstance(problem.conditions, ComponentConditions)
    return [
        [c.face for c in each.faces if not c.is_flux and not isinstance(c.face, str)]
        for each in problem.conditions.each
    ]


def _of_vectors(tables: Float[np.ndarray, "k groups c d1"]) -> Float[np.ndarray, "k groups cd dd1"]:
    """The weights times ∂_bφ_c for σ_ib and the test function φ_c e_i, and a last column of zeros."""
    kinds, groups, corners, dim = *tables.shape[:3], tables.shape[3] - 1
    each = np.einsum("kgcb,ij->kgcijb", tables[..., :dim], np.eye(dim))
    return np.pad(each.reshape(kinds, groups, corners * dim, dim * dim), [(0, 0)] * 3 + [(0, 1)])
