"""Problems on domains that are simplicial meshes, with conditions on named parts of the boundary."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hpms.config.schema import NonNegative
from hpms.errors import ConfigError, brief
from hpms.formula import SCALAR, field_formula
from hpms.options.conditions import ALL, DIRICHLET, KEY, LINEAR, Condition, are_fluxes, read_parts
from hpms.options.field import build_field
from hpms.options.mapping import parsed, written
from hpms.options.problem import ProblemOptions, check_without_upscaling

if TYPE_CHECKING:
    import numpy as np

    from hpms.config.config import Config
    from hpms.problem.law.base import AbstractLaw
    from hpms.problem.lift import AbstractLift
    from hpms.problem.lifted import LiftedProblem
    from hpms.problem.meshed import AbstractMeshed
    from hpms.problem.source.base import AbstractSource


@dataclass(frozen=True)
class MeshedOptions(ProblemOptions, abc.ABC):
    """-∇·(K∇w) + c w = q in Ω with conditions of one's own.

    **Arguments:** `parts` gives names to parts of ∂Ω, each by a formula of x1, x2, x3 that is true in the middle of the
    edges, holes or facets that it is to have; `conditions` and `tau` are those of `problem=box`, for named parts and
    for `all` the rest.
    """

    parts: Any
    conditions: Any
    tau: NonNegative

    def __post_init__(self) -> None:
        """Writes a value in one way, however it was given, so that the same problem has the same identity."""
        for name in self._written:
            given = getattr(self, name)
            if given != LINEAR:
                each = parsed(given, f"problem.{name}") if isinstance(given, str) else given
                object.__setattr__(self, name, written(each))

    @property
    def is_the_papers(self) -> bool:
        return False

    @property
    def _written(self) -> tuple[str, ...]:
        return "parts", "conditions"

    @abc.abstractmethod
    def own_names(self) -> tuple[str, ...]:
        """The names of parts that the geometry has."""

    @abc.abstractmethod
    def pieces(self) -> tuple[tuple[str, ...], np.ndarray]:
        """Of the pieces that the geometry cuts ∂Ω in: the names, of which several may be called alike, and the middles
        (n, d).
        """

    @abc.abstractmethod
    def domain(self, names: tuple[str, ...]) -> AbstractMeshed:
        """The domain, with other names of its pieces, in their order."""

    @abc.abstractmethod
    def lift(self, data: tuple[AbstractSource, ...], groups: tuple[tuple[int, ...], ...]) -> AbstractLift:
        """ℓ with w = g_i, the `data`, on the pieces with the numbers in each of the groups."""

    def check(self, config: Config) -> None:
        check_without_upscaling(config)
        assert self.named
        self.build()

    def conditions_by_part(self) -> dict[str, tuple[Condition, ...]]:
        return {part: (each,) for part, each in self.given.items()}

    def build(self) -> AbstractMeshed:
        return self.domain(self.named)

    def hats(self, h: float, multiple: int) -> int:
        return len(self.build().meshed(h).nodes)

    def problem(self, law: AbstractLaw, source: AbstractSource, lifts: int) -> LiftedProblem:
        from hpms.problem.conditions import Conditions, FaceCondition
        from hpms.problem.lifted import LiftedProblem

        domain, given = self.build(), self.given
        faces = tuple(
            FaceCondition(key, self._field(each.value), None if each.kind == DIRICHLET else self._field(each.rate))
            for key, each in given.items()
        )
        data: dict[str, tuple[int, ...]] = {}
        for number, key in enumerate(self.named):
            if given[key].kind == DIRICHLET:
                data[given[key].value] = (*data.get(given[key].value, ()), number)
        lift = self.lift(tuple(self._field(formula) for formula in data), tuple(data.values()))
        floats = are_fluxes(tuple(given.values())) and law.reaction is None
        return LiftedProblem(domain, law, source, lifts, lift, Conditions(faces, domain.places), floats)

    @property
    def flux_weight(self) -> float:
        return self.tau

    def untrained(self) -> ProblemOptions:
        return replace(self, tau=1.0)

    @cached_property
    def given(self) -> dict[str, Condition]:
        """The conditions that some part has, by the names that they were given for."""
        every = self._every
        return {key: every[key] for key in dict.fromkeys(self.named)}

    @cached_property
    def named(self) -> tuple[str, ...]:
        """Which condition each piece has: its own, that of a part in `parts`, or that of all the rest.

        Raises `ConfigError` where there is none, or several.
        """
        own, middles = self.pieces()
        every, found = self._every, list[str]()
        inside = {name: self._where(name, formula, middles) for name, formula in self._formulas.items()}
        for number, part in enumerate(own):
            named = [name for name, there in inside.items() if there[number] and name in every]
            if len(named) > 1 and part not in every:
                raise ConfigError("problem.parts", brief(self.parts), f"{part} lies in {named[0]} and {named[1]}")
            key = part if part in every else named[0] if named else ALL
            if key not in every:
                reason = f"nothing is said of {part}: give it a condition, or all the rest one"
                raise ConfigError(KEY, brief(self.conditions), reason)
            found.append(key)
        return tuple(found)

    @property
    def _every(self) -> dict[str, Condition]:
        return read_parts(self.conditions, self.dim, [*self.own_names(), *self._formulas])

    @property
    def _formulas(self) -> dict[str, str]:
        """By the name of each of `parts`."""
        found = self.parts or {}
        if not isinstance(found, Mapping) or not all(isinstance(each, str) for each in found.values()):
            reason = "give names and formulas, such as '{outlet:\"x1>1.9\"}'"
            raise ConfigError("problem.parts", brief(self.parts), reason)
        return {str(name): each for name, each in found.items()}

    def _where(self, name: str, formula: str, middles: np.ndarray) -> np.ndarray:
        import numpy as np

        key = f"problem.parts.{name}"
        if name in self.own_names() or name == ALL:
            raise ConfigError(key, formula, f"{name} is a name that the domain has already")
        read = field_formula(f"where({formula}, 1, 0)", self.dim, {}, key)
        axes = [f"x{a + 1}" for a in range(self.dim)]
        there = np.array(
            [read(SCALAR, **dict(zip(axes, map(float, x), strict=True)), eps=self.eps) > 0 for x in middles]
        )
        if not there.any():
            raise ConfigError(key, formula, "it is true in the middle of no part of the boundary")
        return there

    def _field(self, text: str) -> AbstractSource:
        return build_field(text, self.lengths, self.eps, KEY, self.low)
