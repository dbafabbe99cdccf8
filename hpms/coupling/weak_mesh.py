"""The weak form on a simplicial mesh."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hpms.coupling.weak import AbstractScalarForm
from hpms.coupling.weak_box import MOST_POINTS, resolving
from hpms.errors import UserError
from hpms.fem.coarse.simplex import SimplexSpace, flux_rule, load_rule
from hpms.fem.mesh.simplices import Simplices
from hpms.problem.lifted import LiftedProblem, on_host

_ALONG = {2: 2.6, 3: 3.2}  # points along an axis on the length of an edge of a piece
_LOAD_ORDER, _LOAD_ALONG = {2: 6, 3: 4}, 2  # pieces along ε


class MeshWeakForm(AbstractScalarForm):
    """V_H on the `mesh`, with quadrature of about `count` points along each length ε; None is the least number whose
    means of K and 1/K over ε are right to 0.4 %.
    """

    def __init__(self, problem: LiftedProblem, mesh: Simplices, count: int | None):
        self.problem, self.mesh, dim = problem, mesh, mesh.dim
        held = [part for part in mesh.parts if part not in problem.flux_parts]
        self.space = SimplexSpace(mesh, held, problem.floats)
        self.has_rate = _has_rate(problem)
        wanted = count or max(resolving(problem, problem.coefficient.periods or (problem.domain.eps,) * dim))
        self.levels = _levels(mesh.h * wanted / (_ALONG[dim] * problem.domain.eps))
        if (points := len(mesh.cells) * (dim + 1) * 2 ** (dim * self.levels)) > MOST_POINTS:
            raise UserError(
                f"coupling.points={count or f'null, {wanted} here,'} is not allowed: on a mesh of the width "
                f"{mesh.h:.3g} the quadrature has {points:,} points, at most {MOST_POINTS:,} are allowed."
            )
        self.rule = flux_rule(mesh, self.levels, self.has_rate, problem.flux_parts)

    def load(self) -> Float[np.ndarray, " n"]:
        problem, found = self.problem, np.zeros(len(self.space.nodes))
        dim = self.mesh.dim
        levels = max(1, min(_levels(_LOAD_ALONG * self.mesh.h / problem.domain.eps), self._most_levels))
        rules = load_rule(self.mesh, levels, _LOAD_ORDER[dim], problem.flux_parts)
        for number, (points, weights, hats, corners) in enumerate(rules):
            flat = points.reshape(-1, dim)
            values = problem.source_at()(flat) if number == 0 else self._given(flat)
            np.add.at(found, corners, (weights * values.reshape(weights.shape)) @ hats)
        return found

    def _given(self, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        assert self.problem.conditions is not None
        return np.asarray(self.problem.conditions.at(jnp.asarray(points))[1])

    @property
    def _most_levels(self) -> int:
        """What two million points allow."""
        each = 12 * len(self.mesh.cells)
        return max(0, math.floor(math.log2(2 * MOST_POINTS / each) / self.mesh.dim))


def _has_rate(problem: LiftedProblem) -> bool:
    """Whether the equation or a condition has a term with w itself."""
    rates = [each for each in (problem.conditions.faces if problem.conditions else ()) if each.rate is not None]
    domain = problem.domain
    found = (on_host(each.rate, domain.dim)(domain.face_points(each.face)[0]).any() for each in rates if each.rate)
    return problem.law.reaction is not None or any(found)


def _levels(pieces: float) -> int:
    """How often an edge is to be halved to have so many pieces."""
    return max(0, math.ceil(math.log2(max(pieces, 1.0)) - 0.2))
