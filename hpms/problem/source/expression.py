"""A source given by a formula."""

import equinox as eqx
from jaxtyping import Array, Float

from hpms.formula import Formula
from hpms.problem.functions import evaluate_field
from hpms.problem.source.base import AbstractSource


class ExpressionSource(AbstractSource):
    """q(x) by a formula in x1, x2, x3, eps and named constants."""

    formula: Formula = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    constants: tuple[tuple[str, float], ...] = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return evaluate_field(self.formula, x, self.eps, dict(self.constants))
