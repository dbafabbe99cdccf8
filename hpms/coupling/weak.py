"""The weak form of a problem on a coarse space: what the equation tested with its hats has of any function."""

import abc
import math
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy import sparse

from hpms.coupling.known import Known
from hpms.fem.coarse.problem import CoarseProblem, CoarseSpace
from hpms.fem.coarse.rules import ElementRule
from hpms.fem.field import side_by_side
from hpms.fem.tensors import applied
from hpms.fem.validation import ratio
from hpms.problem.lifted import LiftedProblem


class AbstractWeakForm(abc.ABC):
    """V_H, the coarse `space` of hats that vanish where w is given, and the quadrature `rule` of K∇w·∇φ_i on it,
    and, where it `has_rate`, of the terms with w itself, on the parts of ∂Ω, too.
    """

    problem: LiftedProblem
    space: CoarseSpace
    has_rate: bool
    rule: ElementRule

    @abc.abstractmethod
    def load(self) -> Float[np.ndarray, " n"]:
        """∫ q φ_i + ∫_Γ g φ_i, over all N nodes."""

    @cached_property
    def points(self) -> Float[np.ndarray, "m d"]:
        """All points of the rule, behind each other."""
        return self.rule.points.reshape(-1, self.space.dim)

    @cached_property
    def rates(self) -> Float[np.ndarray, "e groups each"]:
        """c on the elements, a on the faces."""
        found, shape = np.zeros(len(self.points)), self.rule.points.shape[:-1]
        inside = self.rule.count * shape[1] * shape[2]
        if (reaction := self.problem.reaction_at()) is not None:
            found[:inside] = reaction(self.points[:inside])
        if self.problem.conditions is not None and inside < len(found):
            rate, _ = self.problem.conditions.at(jnp.asarray(self.points[inside:]))
            found[inside:] = np.asarray(rate)
        return found.reshape(shape)

    @cached_property
    def coefficient(self) -> Float[np.ndarray, " m *t"]:
        """K at the points."""
        return self.problem.coefficient_at()(self.points)

    @cached_property
    def forcing(self) -> Float[np.ndarray, "r l"]:
        """r⁰, of v = 0: what ℓ and the data give."""
        value, slope = self.problem.lifted(self.points)
        return self.assembled(value, slope) - self.load()[self.space.interior, None]

    @abc.abstractmethod
    def assembled(self, value: Float[np.ndarray, "m l"], slope: Float[np.ndarray, "m l d"]) -> Float[np.ndarray, "r k"]:
        """∫ K∇v·∇φ_i + ∫ c v φ_i + ∫_Γ a v φ_i of functions from their values at the points, in a column for each v, or
        in one for a vector.
        """

    @abc.abstractmethod
    def norm(self, basis: Float[np.ndarray, "p c d d"] | None, cells: tuple[int, ...]) -> CoarseProblem:
        """B[κ] for upscaled coefficients of that basis, None for all tensors; without any it is of means of K."""


class AbstractScalarForm(AbstractWeakForm):
    """Of a w that is a number."""

    @cached_property
    def base(self) -> sparse.csr_matrix:
        """∫ K̄∇φ_i·∇φ_j + c̄ φ_iφ_j + ∫_Γ ā φ_iφ_j with the means of K, geometric where it is a number, in each group."""
        return self._form(self._mean(), self.rates.mean(axis=2))

    @cached_property
    def mass(self) -> sparse.csr_matrix:
        """The part of `base` without K."""
        return self._form(np.zeros((*self.rates.shape[:2], *self.coefficient.shape[1:])), self.rates.mean(axis=2))

    def assembled(self, value: Float[np.ndarray, "m l"], slope: Float[np.ndarray, "m l d"]) -> Float[np.ndarray, "r l"]:
        flux = applied(self.coefficient, slope)
        both = np.concatenate([flux, (self.rates.ravel()[:, None] * value)[..., None]], axis=-1)
        groups = both.reshape(*self.rates.shape, *both.shape[1:]).mean(axis=2)
        return self.rule.assembled(np.swapaxes(groups, 2, 3), len(self.space.nodes))[self.space.interior]

    def norm(self, basis: Float[np.ndarray, "p c d d"] | None, cells: tuple[int, ...]) -> CoarseProblem:
        is_known = basis is not None and not len(basis)
        base = self.base if is_known else self.mass if self.has_rate else None
        return CoarseProblem(self.space, np.zeros(len(self.space.nodes)), basis, cells, base)

    def _mean(self) -> Float[np.ndarray, "e groups *t"]:
        each = self.coefficient.reshape(*self.rates.shape, *self.coefficient.shape[1:])
        return np.exp(np.log(each).mean(axis=2)) if each.ndim == 3 else each.mean(axis=2)

    def _form(self, tensors: np.ndarray, rates: np.ndarray) -> sparse.csr_matrix:
        space, rule, dim = self.space, self.rule, self.space.dim
        if tensors.ndim == 2:
            tensors = tensors[..., None, None] * np.eye(dim)
        return rule.form(tensors, rates, len(space.nodes))


def gap(form: AbstractWeakForm, known: Known) -> float:
    """‖r(u)‖/‖r(0)‖ of the reference in the norm of B^{-1}: the error of the quadrature, and that of the reference; all
    u_i together. NaN where its K̃ is not positive definite.
    """
    problem, dim = known.problem, form.space.dim
    value, slope = side_by_side(known.lifted, form.points)
    if problem.conditions is None:
        norm, kappa = form.norm(None, known.upscaling.cells_along(dim)), known.tensors.ravel()
    else:
        norm, kappa = form.norm(np.zeros((0, 1, dim, dim)), (1,) * dim), np.zeros(0)
        lift = problem.lifted(form.points)
        value, slope = value - lift[0], slope - lift[1]
    if not norm.is_admissible(kappa):
        return math.nan
    solver, inside = norm.factorise(kappa), form.space.interior
    squares = []
    for residual in (form.assembled(value, slope) + form.forcing, form.forcing):
        everywhere = np.zeros((len(form.space.nodes), residual.shape[1]))
        everywhere[inside] = residual
        squares.append(float(np.vdot(everywhere, solver.adjoint(everywhere))))
    return ratio(squares[0] ** 0.5, squares[1] ** 0.5)
