"""The weak form on a grid of a box."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hpms.coupling.weak import AbstractScalarForm
from hpms.errors import UserError
from hpms.fem.coarse.q1 import Q1Space
from hpms.fem.coarse.rules import AxisRule, axis_rule, element_rule
from hpms.fem.tensors import eigenvalues
from hpms.problem.lifted import LiftedProblem, on_host

_LOAD_POINTS, _LOAD_AXIS = 8, {1: 100_000, 2: 2000, 3: 160}  # per element and per ε at least, along an axis at most
_PROBES, _NEAR = 256, 0.1
MOST_POINTS = 1_000_000
_COUNTS, _LINES, _RESOLVED = (2, 3, 4, 6, 8, 12, 16, 24, 32), 64, 4e-3


class BoxWeakForm(AbstractScalarForm):
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
        self._grid = self.space = Q1Space(sides, h, problem.given, periodic, multiple, problem.floats)
        self.has_rate = problem.law.reaction is not None or bool(problem.fluxes)
        self.rule = element_rule(self._grid, axis_rules(problem, self._grid, periods, count), problem.fluxes)

    def load(self) -> Float[np.ndarray, " n"]:
        return load(self.problem, self._grid)[:, 0]


def axis_rules(
    problem: LiftedProblem, grid: Q1Space, periods: tuple[float, ...] | None, count: int | None
) -> list[AxisRule]:
    """The quadrature along each axis, `periods` and `count` as above. Raises `UserError` for too many points."""
    lengths = periods or problem.coefficient.periods or _about(problem)
    each = lengths or (problem.domain.eps,) * grid.dim
    numbers = [count] * grid.dim if count else resolving(problem, each)
    rules = [
        axis_rule(n, width, period, lengths is not None, number)
        for n, width, period, number in zip(grid.counts, grid.widths, each, numbers, strict=True)
    ]
    if (points := math.prod(rule.points.size for rule in rules)) > MOST_POINTS:
        raise UserError(
            f"coupling.points={count or f'null, {numbers} here,'} is not allowed: with meshes of the width "
            f"{grid.h:.3g} the quadrature has {points:,} points, at most {MOST_POINTS:,} are allowed."
        )
    return rules


def load(problem: LiftedProblem, space: Q1Space) -> Float[np.ndarray, "n l"]:
    """∫ q φ_i + ∫_Γ g φ_i, of a vector in d columns, by Gauss points that resolve ε as far as there is room."""
    most = _LOAD_AXIS[space.dim] // max(space.counts)
    rules = []
    for n, width in zip(space.counts, space.widths, strict=True):
        number = min(max(_LOAD_POINTS, round(_LOAD_POINTS * width / problem.domain.eps)), max(most, 2))
        rules.append(axis_rule(n, width, width, False, number))
    rule = element_rule(space, rules, problem.fluxes)
    shape, dim = rule.points.shape, space.dim
    inside, beside = rule.points[: rule.count], rule.points[rule.count :]
    source = problem.source_at()(inside.reshape(-1, dim))
    given = np.zeros((*shape[:2], dim + 1, source[:1].size))
    given[: rule.count, :, dim] = source.reshape(-1, shape[1], given.shape[-1])
    if len(beside):
        assert problem.conditions is not None
        _, data = problem.conditions.at(jnp.asarray(beside.reshape(-1, dim)))
        given[rule.count :, :, dim] = np.asarray(data).reshape(-1, shape[1], given.shape[-1])
    return rule.assembled(given, len(space.nodes))


def _about(problem: LiftedProblem) -> tuple[float, ...] | None:
    """ε along each axis, where K changes by no more than a tenth from one such box to the next."""
    dim, eps = problem.domain.dim, problem.domain.eps
    points = np.random.default_rng(0).random((_PROBES, dim)) * (np.array(problem.domain.sides) - eps)
    coefficient = problem.coefficient_at()
    here = coefficient(points)
    moved = [coefficient(points + eps * axis) for axis in np.eye(dim)]
    is_near = all(np.abs(there - here).max() <= _NEAR * np.abs(here).max() for there in moved)
    return (eps,) * dim if is_near else None


def resolving(problem: LiftedProblem, periods: tuple[float, ...]) -> list[int]:
    """Along each axis the least number of points a period, of `_COUNTS`, that gives the means of K and 1/K over one."""
    dim, random = problem.domain.dim, np.random.default_rng(0)
    coefficient = on_host(problem.law.spectrum, dim)
    sides, low = np.array(problem.domain.sides), np.array(problem.domain.low)
    starts, phases = random.random((_LINES, dim)) * sides, random.random((_LINES, 1))

    def means(axis: int, count: int) -> np.ndarray:
        length = min(periods[axis], sides[axis])
        steps = (np.arange(count) + phases) / count * length
        places = np.repeat(starts[:, None], count, axis=1)
        places[..., axis] = starts[:, None, axis] * (1 - length / sides[axis]) + steps
        values = eigenvalues(coefficient(places.reshape(-1, dim) + low)).reshape(_LINES, count, -1)
        return np.stack([values.mean(axis=1), 1 / (1 / values).mean(axis=1)])

    def needed(axis: int) -> int:
        right = means(axis, _COUNTS[-1])
        errors = ((count, np.sqrt(((means(axis, count) / right - 1) ** 2).mean())) for count in _COUNTS)
        return next((count for count, error in errors if error <= _RESOLVED), _COUNTS[-1])

    return [needed(axis) for axis in range(dim)]
