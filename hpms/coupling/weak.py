"""The weak form of a problem on a coarse space: what the equation tested with its hats has of any function."""

import math
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy import sparse

from hpms.coupling.known import Known
from hpms.errors import UserError
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.coarse.q1 import Q1Space
from hpms.fem.coarse.rules import axis_rule, element_rule
from hpms.fem.field import side_by_side
from hpms.fem.tensors import applied, eigenvalues
from hpms.fem.validation import ratio
from hpms.problem.lifted import LiftedProblem

_LOAD_POINTS, _LOAD_AXIS = 8, {1: 100_000, 2: 2000, 3: 160}  # per element and per ε at least, along an axis at most
_PROBES, _NEAR = 256, 0.1
_MOST_POINTS = 1_000_000
_COUNTS, _LINES, _RESOLVED = (2, 3, 4, 6, 8, 12, 16, 24, 32), 64, 4e-3


class WeakForm:
    """V_H, of the width h and a `multiple` of elements along each axis, and quadrature with `count` points a period.

    `periods` None are those of the coefficient, or ε where K about repeats after that; else there are no boxes. `count`
    None is along each axis the least number whose means of K and 1/K over a period are right to 0.4 %.
    """

    def __init__(
        self,
        problem: LiftedProblem,
        h: float,
        periods: tuple[float, ...] | None,
        count: int | None,
        multiple: int = 1,
    ):
        self.problem, conditions = problem, problem.conditions
        sides = problem.domain.sides
        periodic = () if conditions is None else conditions.periodic
        self.space = Q1Space(sides, h, problem.given, periodic, multiple, problem.floats)
        lengths = periods or problem.coefficient.periods or _about(problem)
        each = lengths or (problem.domain.eps,) * self.space.dim
        numbers = [count] * self.space.dim if count else _resolving(problem, each)
        rules = [
            axis_rule(n, width, period, lengths is not None, number)
            for n, width, period, number in zip(self.space.counts, self.space.widths, each, numbers, strict=True)
        ]
        if (points := math.prod(rule.points.size for rule in rules)) > _MOST_POINTS:
            raise UserError(
                f"coupling.points={count or f'null, {numbers} here,'} is not allowed: with meshes of the width "
                f"{self.space.h:.3g} the quadrature has {points:,} points, at most {_MOST_POINTS:,} are allowed."
            )
        self.rule = element_rule(self.space, rules, problem.fluxes)

    @property
    def has_rate(self) -> bool:
        """Whether the equation or a condition has a term with w itself."""
        return self.problem.law.reaction is not None or bool(self.problem.fluxes)

    @cached_property
    def points(self) -> Float[np.ndarray, "m d"]:
        """All points of the rule, behind each other."""
        return self.rule.points.reshape(-1, self.space.dim)

    @cached_property
    def rates(self) -> Float[np.ndarray, "e groups each"]:
        """c on the elements, a on the faces."""
        found, shape = np.zeros(len(self.points)), self.rule.points.shape[:-1]
        kinds = np.repeat(self.rule.kinds, shape[1] * shape[2])
        if (reaction := self.problem.reaction_at()) is not None:
            found[kinds == 0] = reaction(self.points[kinds == 0])
        if self.problem.conditions is not None and (kinds > 0).any():
            rate, _ = self.problem.conditions.at(jnp.asarray(self.points[kinds > 0]))
            found[kinds > 0] = np.asarray(rate)
        return found.reshape(shape)

    @cached_property
    def coefficient(self) -> Float[np.ndarray, " m *t"]:
        """K at the points."""
        return self.problem.coefficient_at()(self.points)

    @cached_property
    def forcing(self) -> Float[np.ndarray, "r l"]:
        """r⁰, of v = 0: what ℓ and the data give."""
        value, slope = self.problem.lifted(self.points)
        return self.assembled(value, slope) - self._load()[self.space.interior, None]

    @cached_property
    def base(self) -> sparse.csr_matrix:
        """∫ K̄∇φ_i·∇φ_j + c̄ φ_iφ_j + ∫_Γ ā φ_iφ_j with the means of K, geometric where it is a number, in each group."""
        return self._form(self._mean(), self.rates.mean(axis=2))

    @cached_property
    def mass(self) -> sparse.csr_matrix:
        """The part of `base` without K."""
        return self._form(np.zeros((*self.rates.shape[:2], *self.coefficient.shape[1:])), self.rates.mean(axis=2))

    def assembled(self, value: Float[np.ndarray, "m l"], slope: Float[np.ndarray, "m l d"]) -> Float[np.ndarray, "r l"]:
        """∫ K∇v·∇φ_i + ∫ c v φ_i + ∫_Γ a v φ_i of functions from their values at the points."""
        flux = applied(self.coefficient, slope)
        both = np.concatenate([flux, (self.rates.ravel()[:, None] * value)[..., None]], axis=-1)
        groups = both.reshape(*self.rates.shape, *both.shape[1:]).mean(axis=2)
        return self.rule.assembled(np.swapaxes(groups, 2, 3), len(self.space.nodes))[self.space.interior]

    def norm(self, basis: Float[np.ndarray, "p c d d"] | None, cells: tuple[int, ...]) -> CoarseProblem:
        """B[κ] for upscaled coefficients of that basis, None for all tensors; without any it is `base`."""
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
        size = len(space.nodes)
        total = sparse.csr_matrix((size, size))
        for kind in np.unique(rule.kinds):
            here = rule.kinds == kind
            # the tables hold weights times hats and slopes: once they are divided by the weights
            table = rule.tables[kind]
            weight = table[..., -1].sum(axis=1)
            hats = table / weight[:, None, None]
            local = np.einsum("gia,egab,gjb->eij", table[..., :dim], tensors[here], hats[..., :dim])
            local += np.einsum("gi,eg,gj->eij", table[..., dim], rates[here], hats[..., dim])
            corners = rule.corners[here]
            rows = np.repeat(corners[:, :, None], corners.shape[1], axis=2)
            entries = (local.ravel(), (rows.ravel(), np.swapaxes(rows, 1, 2).ravel()))
            total += sparse.csr_matrix(entries, shape=(size, size))
        return sparse.csr_matrix(total)

    def _load(self) -> Float[np.ndarray, " n"]:
        """∫ q φ_i + ∫_Γ g φ_i by Gauss points of its own, that resolve ε as far as there is room."""
        problem, space = self.problem, self.space
        most = _LOAD_AXIS[space.dim] // max(space.counts)
        rules = []
        for n, width in zip(space.counts, space.widths, strict=True):
            number = min(max(_LOAD_POINTS, round(_LOAD_POINTS * width / problem.domain.eps)), max(most, 2))
            rules.append(axis_rule(n, width, width, False, number))
        rule = element_rule(space, rules, problem.fluxes)
        shape, dim = rule.points.shape, space.dim
        given = np.zeros((*shape[:2], dim + 1, 1))
        inside = rule.kinds == 0
        given[inside, :, dim, 0] = problem.source_at()(rule.points[inside].reshape(-1, dim)).reshape(-1, shape[1])
        if not inside.all():
            assert problem.conditions is not None
            _, data = problem.conditions.at(jnp.asarray(rule.points[~inside].reshape(-1, dim)))
            given[~inside, :, dim, 0] = np.asarray(data).reshape(-1, shape[1])
        return rule.assembled(given, len(space.nodes))[:, 0]


def _about(problem: LiftedProblem) -> tuple[float, ...] | None:
    """ε along each axis, where K changes by no more than a tenth from one such box to the next."""
    dim, eps = problem.domain.dim, problem.domain.eps
    points = np.random.default_rng(0).random((_PROBES, dim)) * (np.array(problem.domain.sides) - eps)
    coefficient = problem.coefficient_at()
    here = coefficient(points)
    moved = [coefficient(points + eps * axis) for axis in np.eye(dim)]
    is_near = all(np.abs(there - here).max() <= _NEAR * np.abs(here).max() for there in moved)
    return (eps,) * dim if is_near else None


def _resolving(problem: LiftedProblem, periods: tuple[float, ...]) -> list[int]:
    """Along each axis the least number of points a period, of `_COUNTS`, that gives the means of K and 1/K over one."""
    dim, coefficient, random = problem.domain.dim, problem.coefficient_at(), np.random.default_rng(0)
    sides = np.array(problem.domain.sides)
    starts, phases = random.random((_LINES, dim)) * sides, random.random((_LINES, 1))

    def means(axis: int, count: int) -> np.ndarray:
        length = min(periods[axis], sides[axis])
        steps = (np.arange(count) + phases) / count * length
        places = np.repeat(starts[:, None], count, axis=1)
        places[..., axis] = starts[:, None, axis] * (1 - length / sides[axis]) + steps
        values = eigenvalues(coefficient(places.reshape(-1, dim))).reshape(_LINES, count, -1)
        return np.stack([values.mean(axis=1), 1 / (1 / values).mean(axis=1)])

    def needed(axis: int) -> int:
        right = means(axis, _COUNTS[-1])
        errors = ((count, np.sqrt(((means(axis, count) / right - 1) ** 2).mean())) for count in _COUNTS)
        return next((count for count, error in errors if error <= _RESOLVED), _COUNTS[-1])

    return [needed(axis) for axis in range(dim)]


def gap(form: WeakForm, known: Known) -> float:
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
