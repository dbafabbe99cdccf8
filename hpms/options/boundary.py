"""`boundary=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.config.registry import register
from hpms.config.schema import NonNegative
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpms.network.base import AbstractNetwork
    from hpms.problem.collocation import Collocation
    from hpms.problem.domain import AbstractDomain
    from hpms.problem.walls import AbstractWalls
    from hpms.training.term.base import AbstractTerm


class BoundaryOptions(AbstractOptions, abc.ABC):
    """How v = 0 on ∂Ω is imposed: exactly where `hard`, or by a term of the weight τ₁ = `tau1`."""

    tau1: NonNegative
    hard: ClassVar[bool]

    @abc.abstractmethod
    def wrap(self, network: AbstractNetwork, walls: AbstractWalls | None = None) -> AbstractNetwork:
        """The network that is trained, which is to vanish on `walls`, None for all of ∂Ω of the unit cube."""

    @abc.abstractmethod
    def terms(self, places: Mapping[str, Collocation], domain: AbstractDomain) -> tuple[AbstractTerm, ...]:
        """What is added to the loss, over the `places` of the parts of Ω."""


@register("boundary", "hard")
@dataclass(frozen=True)
class HardOptions(BoundaryOptions):
    """`boundary=hard`: the network vanishes on ∂Ω, multiplied by l(x) if it has no way of its own; no boundary term."""

    tau1: ClassVar[float] = 0.0
    hard: ClassVar[bool] = True

    def wrap(self, network: AbstractNetwork, walls: AbstractWalls | None = None) -> AbstractNetwork:
        from hpms.network.boundary import HardBoundary

        if walls is not None and walls.is_empty:
            return network
        return network.vanishing(walls) or HardBoundary(network, walls)

    def terms(self, places: Mapping[str, Collocation], domain: AbstractDomain) -> tuple[AbstractTerm, ...]:
        return ()


@register("boundary", "soft")
@dataclass(frozen=True)
class SoftOptions(BoundaryOptions):
    """`boundary=soft`: τ₁ |∂Ω|/M_∂Ω Σ v(x^b_i)² is added to the loss, Eq. (3.24); `tau1` = τ₁."""

    tau1: NonNegative
    hard: ClassVar[bool] = False

    def wrap(self, network: AbstractNetwork, walls: AbstractWalls | None = None) -> AbstractNetwork:
        return network

    def terms(self, places: Mapping[str, Collocation], domain: AbstractDomain) -> tuple[AbstractTerm, ...]:
        from hpms.problem.collocation import BOUNDARY
        from hpms.training.term.boundary import BoundaryTerm

        return (BoundaryTerm(places=places[BOUNDARY], measure=domain.surface),)
