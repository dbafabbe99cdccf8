"""`problem=box`: conditions of one's own on the faces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hpms.config.registry import register
from hpms.config.schema import NonNegative, Positive
from hpms.errors import ConfigError, brief
from hpms.fem.faces import PARTS
from hpms.options.components import are_components, read_components
from hpms.options.conditions import DIRICHLET, KEY, PERIODIC, Condition, are_fluxes, read_conditions
from hpms.options.field import build_field
from hpms.options.problem import ProblemOptions, check_without_upscaling

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.fem.faces import Face
    from hpms.problem.conditions import Conditions
    from hpms.problem.domain import AbstractDomain
    from hpms.problem.law.base import AbstractLaw
    from hpms.problem.lift import TransfiniteLift
    from hpms.problem.lifted import LiftedProblem
    from hpms.problem.source.base import AbstractSource
    from hpms.problem.walls import AbstractWalls

_MOST_SLENDER = 100


@register("problem", "box")
@dataclass(frozen=True)
class BoxOptions(ProblemOptions):
    """`problem=box`: -∇·(K ∇w) + c w = q in Ω = Π(0, s_a) with conditions of one's own on its faces.

    **Arguments:** `dim` is d, `eps` the fine length scale ε; `sides`, s_1, ..., s_d, or null for 1; `conditions`:
    linear (w_i = x_i), or for each of left, right, bottom, top, front, back (x_a = 0 and s_a; `all` for the rest) one
    of dirichlet: g, w = g; neumann: g, K∇w·n = g with n outward; robin: [a, g], K∇w·n + a w = g (numbers or formulas of
    x1, x2, x3 and eps); or periodic, on opposite faces; where all of them are for fluxes, ∫ w = 0; of a vector w
    (`law=elasticity`) dirichlet: [g1, g2] and neumann: [t1, t2], or both with null where the other one has the
    component; `tau`, the weight of the term of all Neumann and Robin conditions, |∂Ω|/M_∂Ω Σ (K∇w·n + a w - g)².
    """

    sides: tuple[Positive, ...] | None
    conditions: Any
    tau: NonNegative

    @property
    def lengths(self) -> tuple[float, ...]:
        return self.sides or (1.0,) * self.dim

    @property
    def is_the_papers(self) -> bool:
        return self._every is None and set(self.lengths) == {1.0}

    def conditions_by_part(self) -> dict[str, tuple[Condition, ...]]:
        return dict(zip(PARTS, zip(*self._every or (), strict=True), strict=False))

    @property
    def components(self) -> int:
        return len(self._every or (0,))

    @property
    def walls(self) -> AbstractWalls | None:
        from hpms.fem.faces import faces
        from hpms.problem.box import Walls
        from hpms.problem.components import ComponentWalls

        if self.is_the_papers:
            return None
        given = self._every or ((Condition(DIRICHLET, "0"),) * 2 * self.dim,)
        walls = tuple(
            Walls(self.lengths, tuple(f for f, c in zip(faces(self.dim), every, strict=True) if c.kind == DIRICHLET))
            for every in given
        )
        return walls[0] if len(walls) == 1 else ComponentWalls(walls)

    @property
    def wrapped(self) -> tuple[int, ...]:
        return tuple(axis for axis in range(self.dim) if self._every and self._every[0][2 * axis].kind == PERIODIC)

    @property
    def is_unit_cube(self) -> bool:
        return set(self.lengths) == {1.0}

    def check(self, config: Config) -> None:
        if self.sides is not None and len(self.sides) != self.dim:
            raise ConfigError("problem.sides", list(self.sides), f"give one length per axis, problem.dim={self.dim}")
        if max(self.lengths) > _MOST_SLENDER * min(self.lengths):
            raise ConfigError("problem.sides", list(self.lengths), f"none may be {_MOST_SLENDER} times another")
        if self.is_the_papers:
            return
        if self.components > 1 and not config.law.takes_moduli:
            reason = f"w of law={config.names['law']} is a number: give one for each condition, as in {{dirichlet:0}}"
            raise ConfigError(KEY, brief(self.conditions), reason)
        check_without_upscaling(config)
        if self.wrapped and not config.network.wraps:
            reason = f"it can't be periodic along x{self.wrapped[0] + 1}: take mlp, two_scale or fbpinn"
            raise ConfigError("network", config.names["network"], reason)

    def build(self) -> AbstractDomain:
        from hpms.problem.box import Box
        from hpms.problem.unit_cube import UnitCube

        return UnitCube(self.dim, self.eps) if self.is_the_papers else Box(self.dim, self.eps, self.lengths)

    def problem(self, law: AbstractLaw, source: AbstractSource, lifts: int) -> LiftedProblem:
        from hpms.problem.components import ComponentLift, component_conditions
        from hpms.problem.lifted import LiftedProblem

        if (given := self._every) is None:
            if self.is_the_papers:
                return super().problem(law, source, lifts)
            given = ((Condition(DIRICHLET, "x1"),) * 2 * self.dim,)
        each = [(self._lift(every), self._conditions(every)) for every in given]
        lift, conditions = each[0]
        if len(each) > 1:
            lift = ComponentLift(tuple(lift for lift, _ in each))
            conditions = component_conditions(tuple(conditions for _, conditions in each))
        floats = all(map(are_fluxes, given)) and law.reaction is None
        return LiftedProblem(self.build(), law, source, lifts, lift, conditions, floats)

    def _lift(self, every: tuple[Condition, ...]) -> TransfiniteLift:
        """ℓ of the conditions on all faces."""
        from hpms.fem.faces import faces
        from hpms.problem.lift import TransfiniteLift

        data: dict[str, list[Face]] = {}
        for face, each in zip(faces(self.dim), every, strict=True):
            if each.kind == DIRICHLET:
                data.setdefault(each.value, []).append(face)
        return TransfiniteLift(tuple(map(self._field, data)), tuple(map(tuple, data.values())), self.lengths)

    def _conditions(self, every: tuple[Condition, ...]) -> Conditions:
        """Those on all faces that are not periodic."""
        from hpms.fem.faces import faces
        from hpms.problem.conditions import BoxFaces, Conditions, FaceCondition

        found = tuple(
            FaceCondition(face, self._field(each.value), None if each.kind == DIRICHLET else self._field(each.rate))
            for face, each in zip(faces(self.dim), every, strict=True)
            if each.kind != PERIODIC
        )
        return Conditions(found, BoxFaces(self.lengths), self.wrapped)

    @property
    def flux_weight(self) -> float:
        return self.tau

    def untrained(self) -> ProblemOptions:
        return replace(self, tau=1.0)

    @property
    def _every(self) -> tuple[tuple[Condition, ...], ...] | None:
        """The conditions on all faces of each component, or None for w_i = x_i."""
        if are_components(self.conditions):
            return read_components(self.conditions, self.dim)
        every = read_conditions(self.conditions, self.dim)
        return None if every is None else (every,)

    def _field(self, text: str) -> AbstractSource:
        return build_field(text, self.lengths, self.eps, KEY)
