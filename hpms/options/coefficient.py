"""`coefficient=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hpms.config.registry import register
from hpms.config.schema import Fraction, Positive
from hpms.errors import ConfigError
from hpms.formula import field_formula
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.problem.coefficient.base import AbstractCoefficient
    from hpms.problem.coefficient.expression import ExpressionCoefficient
    from hpms.problem.coefficient.layered import LayeredCoefficient


class CoefficientOptions(AbstractOptions, abc.ABC):
    """A coefficient K^ε."""

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        """The periods of what `build` builds, one per axis, or None."""
        return self.build(dim, eps).periods

    @abc.abstractmethod
    def build(self, dim: int, eps: float) -> AbstractCoefficient:
        """K^ε in d dimensions."""


@register("coefficient", "expression")
@dataclass(frozen=True)
class ExpressionOptions(CoefficientOptions):
    """`coefficient=expression coefficient.formula='2+sin(2*pi*x1/eps)'`.

    **Arguments:** `formula`; `constants`, a map of names to numbers; `periods`, one length per axis (arithmetic in
    eps), or null where the medium has none.
    """

    formula: str
    constants: dict[str, float]
    periods: tuple[Positive, ...] | None

    def check(self, config: Config) -> None:
        dim = config.problem.dim
        if self.periods is not None and len(self.periods) != dim:
            raise ConfigError("coefficient.periods", list(self.periods), f"give one per axis, problem.dim={dim}")
        field_formula(self.formula, dim, self.constants, "coefficient.formula")

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return self.periods

    def build(self, dim: int, eps: float) -> ExpressionCoefficient:
        from hpms.problem.coefficient.expression import ExpressionCoefficient

        formula = field_formula(self.formula, dim, self.constants, "coefficient.formula")
        return ExpressionCoefficient(
            formula=formula, eps=eps, constants=tuple(self.constants.items()), periods=self.periods
        )


@register("coefficient", "layered")
@dataclass(frozen=True)
class LayeredOptions(CoefficientOptions):
    """`coefficient=layered`: `low` = k₁, `high` = k₂, `axis` across the layers (1-based), `smoothing` = η in (0, 1]."""

    low: Positive
    high: Positive
    axis: Literal[1, 2, 3]
    smoothing: Fraction

    def check(self, config: Config) -> None:
        if self.axis > config.problem.dim:
            raise ConfigError("coefficient.axis", self.axis, f"it must be at most problem.dim={config.problem.dim}")

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return (eps,) * dim

    def build(self, dim: int, eps: float) -> LayeredCoefficient:
        from hpms.problem.coefficient.layered import LayeredCoefficient

        return LayeredCoefficient(
            low=self.low,
            high=self.high,
            smoothing=self.smoothing,
            axis=self.axis - 1,
            eps=eps,
            periods=self.lengths(dim, eps),
        )
