"""A source given by a formula."""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from hpms.formula import Formula
from hpms.problem.functions import evaluate_field, field_formula
from hpms.problem.source.base import AbstractSource
from hpms.registry import register


class ExpressionSource(AbstractSource):
    """q(x) by a formula in x1, x2, x3, eps and named constants."""

    formula: Formula = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    constants: tuple[tuple[str, float], ...] = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return evaluate_field(self.formula, x, self.eps, dict(self.constants))


@register("source", "expression")
@dataclass(frozen=True)
class Expression:
    """`source=expression source.formula='10*exp(-100*(x1-0.5)**2)'`; `constants` maps names to numbers."""

    formula: str
    constants: dict[str, float]

    def check(self, config: Any) -> None:
        field_formula(self.formula, config.problem.dim, self.constants, "source.formula")

    def build(self, dim: int, eps: float) -> ExpressionSource:
        formula = field_formula(self.formula, dim, self.constants, "source.formula")
        return ExpressionSource(formula, eps, tuple(self.constants.items()))
