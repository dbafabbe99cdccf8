"""`problem=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hpms.options.base import AbstractOptions
from hpms.registry import register
from hpms.schema import Width

if TYPE_CHECKING:
    from hpms.problem.unit_cube import UnitCube


@dataclass(frozen=True)
class ProblemOptions(AbstractOptions, abc.ABC):
    """A domain in d = `dim` dimensions and the fine length scale ε = `eps`."""

    dim: Literal[1, 2, 3]
    eps: Width

    @abc.abstractmethod
    def build(self) -> UnitCube:
        """The domain."""


@register("problem", "unit_cube")
@dataclass(frozen=True)
class UnitCubeOptions(ProblemOptions):
    """-∇·(K^ε ∇w) = q in Ω = (0,1)^d, w = x₁ on ∂Ω, Eq. (4.6).

    **Arguments:** `dim` is d, `eps` the fine length scale ε, of the order of the coefficient's period.
    """

    def build(self) -> UnitCube:
        from hpms.problem.unit_cube import UnitCube

        return UnitCube(self.dim, self.eps)
