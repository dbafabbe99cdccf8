"""`source=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.config.registry import register
from hpms.formula import field_formula
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.problem.source.base import AbstractSource
    from hpms.problem.source.expression import ExpressionSource


class SourceOptions(AbstractOptions, abc.ABC):
    """The source q of -∇·(K^ε∇w) = q with w = x₁ on ∂Ω; u = w - x₁ has f = q + ∂₁K^ε on its right-hand side.

    Where it `is_force` q has d components.
    """

    is_force: ClassVar[bool] = False

    @abc.abstractmethod
    def build(self, dim: int, eps: float) -> AbstractSource:
        """q in d dimensions."""


@register("source", "expression")
@dataclass(frozen=True)
class ExpressionOptions(SourceOptions):
    """`source=expression source.formula='10*exp(-100*(x1-0.5)**2)'`; `constants` maps names to numbers."""

    formula: str
    constants: dict[str, float]

    def check(self, config: Config) -> None:
        field_formula(self.formula, config.problem.dim, self.constants, "source.formula")

    def build(self, dim: int, eps: float) -> ExpressionSource:
        from hpms.problem.source.expression import ExpressionSource

        formula = field_formula(self.formula, dim, self.constants, "source.formula")
        return ExpressionSource(formula, eps, tuple(self.constants.items()))
