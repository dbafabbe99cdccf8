"""A coefficient given by a formula."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from hpms.errors import ConfigError
from hpms.formula import Formula
from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient
from hpms.problem.functions import evaluate_field, field_formula
from hpms.registry import register
from hpms.schema import Positive


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


@register("coefficient", "expression")
@dataclass(frozen=True)
class Expression:
    """`coefficient=expression coefficient.formula='2+sin(2*pi*x1/eps)'`.

    **Arguments:** `formula`; `constants`, a map of names to numbers; `periods`, one length per axis (arithmetic in
    eps), or null where the medium has none.
    """

    formula: str
    constants: dict[str, float]
    periods: tuple[Positive, ...] | None

    def check(self, config: Any) -> None:
        dim = config.problem.dim
        if self.periods is not None and len(self.periods) != dim:
            raise ConfigError("coefficient.periods", list(self.periods), f"give one per axis, problem.dim={dim}")
        field_formula(self.formula, dim, self.constants, "coefficient.formula")

    def build(self, dim: int, eps: float) -> ExpressionCoefficient:
        constants: Mapping[str, float] = self.constants
        formula = field_formula(self.formula, dim, constants, "coefficient.formula")
        return ExpressionCoefficient(formula=formula, eps=eps, constants=tuple(constants.items()), periods=self.periods)
