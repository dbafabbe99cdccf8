"""`problem=...`."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from hpms.config.registry import register
from hpms.config.schema import NonNegative, Positive, Width
from hpms.errors import ConfigError, brief
from hpms.fem.elements import elements
from hpms.fem.faces import PARTS
from hpms.options.base import AbstractOptions
from hpms.options.components import are_components, read_components
from hpms.options.conditions import DIRICHLET, KEY, PERIODIC, Condition, are_fluxes, read_conditions
from hpms.options.field import build_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from hpms.config.config import Config
    from hpms.fem.faces import Face
    from hpms.problem.collocation import Collocation
    from hpms.problem.conditions import Conditions
    from hpms.problem.corners import Corner
    from hpms.problem.domain import AbstractDomain
    from hpms.problem.law.base import AbstractLaw
    from hpms.problem.lift import TransfiniteLift
    from hpms.problem.lifted import LiftedProblem
    from hpms.problem.source.base import AbstractSource
    from hpms.problem.walls import AbstractEdges, AbstractWalls
    from hpms.training.term.base import AbstractTerm

_MOST_SLENDER = 100
_WITHOUT = {"coupling": "+method=fast, or coupling=galerkin or none,", "upscaling": "upscaling=none, or auto,"}


@dataclass(frozen=True)
class ProblemOptions(AbstractOptions, abc.ABC):
    """A domain in d = `dim` dimensions and the fine length scale ε = `eps` on it."""

    dim: Literal[1, 2, 3]
    eps: Width

    @property
    def lengths(self) -> tuple[float, ...]:
        """The sides of the domain along the axes."""
        return (1.0,) * self.dim

    @property
    def is_the_papers(self) -> bool:
        """Whether it is the unit cube with w_i = x_i on ∂Ω, of vectors w = E x, which upscaling and couplings need."""
        return True

    @property
    def is_unit_cube(self) -> bool:
        """Whether Ω is the unit cube, whatever its conditions."""
        return self.is_the_papers

    def upscaling(self, name: Any, of_law: str) -> Any:
        """The option that `upscaling=auto` stands for: that of the law, or none where there is nothing to upscale."""
        if name != "auto":
            return name
        return of_law if self.is_the_papers else "none"

    def described(self) -> str:
        """The domain, for a reader."""
        return "×".join(f"(0,{side:g})" for side in self.lengths)

    def conditions_by_part(self) -> dict[str, tuple[Condition, ...]]:
        """Conditions of one's own, of each component of w, by the part that has them, empty for w_i = x_i."""
        return {}

    @property
    def components(self) -> int:
        """Those of w that have conditions."""
        return 1

    @property
    def low(self) -> tuple[float, ...]:
        """The lowest corner of the box around the domain."""
        return (0.0,) * self.dim

    @property
    def walls(self) -> AbstractWalls | None:
        """Where v is to vanish, None for all of ∂Ω of the unit cube."""
        return None

    @property
    def edges(self) -> AbstractEdges | None:
        """The boundary of a domain that is no box."""
        return None

    @property
    def wrapped(self) -> tuple[int, ...]:
        """The axes along which v is periodic."""
        return ()

    @property
    def lacks(self) -> str:
        """What keeps a bound of the error from being one on this domain, or nothing."""
        return ""

    @property
    def corners(self) -> tuple[Corner, ...]:
        """Those at which a network has singular functions."""
        return ()

    @abc.abstractmethod
    def build(self) -> AbstractDomain:
        """The domain."""

    def problem(self, law: AbstractLaw, source: AbstractSource, lifts: int) -> LiftedProblem:
        """The problem with w_i = x_i on ∂Ω."""
        from hpms.problem.lifted import LiftedProblem

        return LiftedProblem(self.build(), law, source, lifts)

    def terms(self, places: Mapping[str, Collocation], domain: AbstractDomain) -> tuple[AbstractTerm, ...]:
        """What its conditions add to the loss: where there are some for the flux, their term."""
        from hpms.problem.collocation import FLUX
        from hpms.training.term.flux import FluxTerm

        return (FluxTerm(places=places[FLUX], measure=domain.surface),) if FLUX in places else ()

    @property
    def flux_weight(self) -> float:
        """τ of the term of the conditions for the flux."""
        return 1.0

    def hats(self, h: float, multiple: int) -> int:
        """How many a coarse mesh of the width h has, with a multiple of so many elements along each axis."""
        return math.prod(elements(side, h, multiple) + 1 for side in self.lengths)

    def untrained(self) -> ProblemOptions:
        """The same problem with the weight 1."""
        return self

    def kept(self) -> dict[str, np.ndarray]:
        """The arrays from files, by name, that a run has to hold to be evaluated without them."""
        return {}

    @classmethod
    def recalled(cls, values: dict[str, Any], kept: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """The keys of a run's problem with which it is built from what the run has `kept`."""
        return values


@register("problem", "unit_cube")
@dataclass(frozen=True)
class UnitCubeOptions(ProblemOptions):
    """-∇·(K^ε ∇w) = q in Ω = (0,1)^d, w = x₁ on ∂Ω, Eq. (4.6).

    **Arguments:** `dim` is d, `eps` the fine length scale ε, of the order of the coefficient's period.
    """

    def build(self) -> AbstractDomain:
        from hpms.problem.unit_cube import UnitCube

        return UnitCube(self.dim, self.eps)


@register("problem", "box")
@dataclass(frozen=True)
class BoxOptions(ProblemOptions):
    """`problem=box`: -∇·(K ∇w) + c w = q in Ω = Π(0, s_a) with conditions of one's own on its faces.

    **Arguments:** `dim` and `eps` as above; `sides`, s_1, ..., s_d, or null for 1; `conditions`: linear (w_i = x_i), or
    for each of left, right, bottom, top, front, back (x_a = 0 and s_a; `all` for the rest) one of dirichlet: g, w = g;
    neumann: g, K∇w·n = g with n outward; robin: [a, g], K∇w·n + a w = g (numbers or formulas of x1, x2, x3 and eps); or
    periodic, on opposite faces; where all of them are for fluxes, ∫ w = 0; of a vector w (`law=elasticity`) dirichlet:
    [g1, g2] and neumann: [t1, t2], or both with null where the other one has the component;
    `tau`, the weight of the term of all Neumann and Robin conditions, |∂Ω|/M_∂Ω Σ (K∇w·n + a w - g)².
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


def check_without_upscaling(config: Config) -> None:
    """Raises `ConfigError` for what needs w_i = x_i on the boundary of the unit cube."""
    why = "there is no coefficient to upscale where w is not x_i on the boundary of the unit cube"
    for group, is_needed in (
        ("coupling", config.coupling.needs_upscaling),
        ("upscaling", config.names["upscaling"] != "none"),
    ):
        if is_needed:
            how = f"take {_WITHOUT[group]} with problem={config.names['problem']}"
            raise ConfigError(group, config.names[group], f"{why}: {how}")
    if config.reference.is_layered:
        raise ConfigError("reference.method", "layered", "it is for problem=unit_cube; choose auto, p2 or p1")
