"""`problem=...`."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hpms.config.registry import register
from hpms.config.schema import Width
from hpms.errors import ConfigError
from hpms.fem.elements import elements
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from hpms.config.config import Config
    from hpms.options.conditions import Condition
    from hpms.problem.collocation import Collocation
    from hpms.problem.corners import Corner
    from hpms.problem.domain import AbstractDomain
    from hpms.problem.law.base import AbstractLaw
    from hpms.problem.lifted import LiftedProblem
    from hpms.problem.source.base import AbstractSource
    from hpms.problem.walls import AbstractEdges, AbstractWalls
    from hpms.training.term.base import AbstractTerm

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
