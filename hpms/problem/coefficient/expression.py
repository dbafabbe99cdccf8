"""A coefficient given by a formula."""

import equinox as eqx
from jaxtyping import Array, Float

from hpms.formula import Formula
from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient
from hpms.problem.functions import evaluate_field


class ExpressionCoefficient(AbstractCoefficient):
    """K^ε(x) by a formula in x1, x2, x3, eps and named constants."""

    formula: Formula = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    constants: tuple[tuple[str, float], ...] = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return evaluate_field(self.formula, x, self.eps, dict(self.constants))

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        return autodiff_gradient(self, x)

    @property
    def rough(self) -> list[str]:
        """What in the formula may jump or have a kink."""
        return self.formula.kinks(["x1", "x2", "x3"])
