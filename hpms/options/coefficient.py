"""`coefficient=...`."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from hpms.config.registry import register
from hpms.config.schema import Fraction, Positive
from hpms.errors import ConfigError, brief
from hpms.formula import Formula, field_formula
from hpms.options.base import AbstractOptions
from hpms.options.mapping import parsed

if TYPE_CHECKING:
    import numpy as np

    from hpms.config.config import Config
    from hpms.problem.coefficient.base import AbstractCoefficient
    from hpms.problem.coefficient.expression import ExpressionCoefficient
    from hpms.problem.coefficient.layered import LayeredCoefficient
    from hpms.problem.coefficient.tensor import TensorCoefficient


def check_periods(periods: tuple[float, ...] | None, dim: int) -> None:
    """Raises `ConfigError` unless there is a length for each axis, or none at all."""
    if periods is not None and len(periods) != dim:
        raise ConfigError("coefficient.periods", list(periods), f"give one per axis, problem.dim={dim}, or one for all")


@dataclass(frozen=True)
class CoefficientOptions(AbstractOptions, abc.ABC):
    """A coefficient K^ε, a number or a tensor, or where they `are_moduli` a pair of them."""

    are_moduli: ClassVar[bool] = False

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        """The periods of what `build` builds, one per axis, or None."""
        return self.build(dim, eps).periods

    def in_dimensions(self, dim: int) -> CoefficientOptions:
        """Itself with a length for each axis, where one is given for all."""
        periods = {field.name: getattr(self, field.name) for field in fields(self)}.get("periods")
        return self if periods is None or len(periods) > 1 else replace(self, periods=periods * dim)

    @abc.abstractmethod
    def build(self, dim: int, eps: float) -> AbstractCoefficient:
        """K^ε in d dimensions."""

    def over(self, sides: tuple[float, ...], eps: float) -> AbstractCoefficient:
        """K^ε on the box with these sides, for one that depends on them."""
        return self.build(len(sides), eps)

    def kept(self, dim: int) -> dict[str, np.ndarray]:
        """The arrays from files, by name, that a run has to hold to be evaluated without them."""
        return {}

    @classmethod
    def recalled(cls, values: dict[str, Any], kept: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """The keys of a run's coefficient with which it is built from what the run has `kept`."""
        return values

    def unplaced(self) -> CoefficientOptions:
        """The same medium without the place that it is read from, for one whose arrays tell it apart."""
        return self

    def remarks(self, built: AbstractCoefficient) -> list[str]:
        """What is to be said of K^ε before it is used."""
        return []


@register("coefficient", "expression")
@dataclass(frozen=True)
class ExpressionOptions(CoefficientOptions):
    """`coefficient=expression coefficient.formula='2+sin(2*pi*x1/eps)'`.

    **Arguments:** `formula`; `constants`, a map of names to numbers; `periods`, one length per axis (arithmetic in
    eps) or one for all of them, or null where the medium has none.
    """

    formula: str
    constants: dict[str, float]
    periods: tuple[Positive, ...] | None

    def check(self, config: Config) -> None:
        dim = config.problem.dim
        check_periods(self.periods, dim)
        field_formula(self.formula, dim, self.constants, "coefficient.formula")

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return self.periods

    def build(self, dim: int, eps: float) -> ExpressionCoefficient:
        from hpms.problem.coefficient.expression import ExpressionCoefficient

        formula = field_formula(self.formula, dim, self.constants, "coefficient.formula")
        return ExpressionCoefficient(
            formula=formula, eps=eps, constants=tuple(self.constants.items()), periods=self.periods
        )


@register("coefficient", "tensor")
@dataclass(frozen=True)
class TensorOptions(CoefficientOptions):
    """`coefficient=tensor 'coefficient.entries={k11:2,k12:0.5,k22:1+x1}'`: a symmetric K_ij(x), positive definite.

    **Arguments:** `entries`, numbers or formulas by their places k11, k12, k22, k13, ... (those left out are 0);
    `constants` and `periods` as above.
    """

    entries: Any
    constants: dict[str, float]
    periods: tuple[Positive, ...] | None

    def check(self, config: Config) -> None:
        dim = config.problem.dim
        if dim == 1:
            raise ConfigError("coefficient", "tensor", "a tensor needs problem.dim=2 or 3: take expression")
        check_periods(self.periods, dim)
        if config.reference.is_layered:
            raise ConfigError("reference.method", "layered", "it is for a coefficient that is a number; choose p2")
        self._formulas(dim)

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return self.periods

    def build(self, dim: int, eps: float) -> TensorCoefficient:
        from hpms.problem.coefficient.tensor import TensorCoefficient

        constants = tuple(self.constants.items())
        return TensorCoefficient(entries=self._formulas(dim), eps=eps, constants=constants, periods=self.periods)

    def _formulas(self, dim: int) -> tuple[tuple[tuple[int, int], Formula], ...]:
        key = "coefficient.entries"
        given = parsed(self.entries, key) if isinstance(self.entries, str) else self.entries
        places = {f"k{i + 1}{j + 1}": (i, j) for j in range(dim) for i in range(j + 1)}
        if not isinstance(given, Mapping):
            raise ConfigError(key, brief(given), "write {k11:2,k12:0.5,k22:1+x1}, numbers or formulas")
        for place, entry in given.items():
            if place not in places:
                raise ConfigError(
                    f"{key}.{brief(place)}", entry, f"the places are {', '.join(places)}, as K is symmetric"
                )
            if isinstance(entry, bool) or not isinstance(entry, str | int | float):
                raise ConfigError(f"{key}.{place}", brief(entry), "it must be a number or a formula")
        for i in range(dim):
            if (place := f"k{i + 1}{i + 1}") not in given:
                raise ConfigError(key, brief(self.entries), f"give {place}, which has to be positive")
        return tuple(
            (at, field_formula(str(given[place]), dim, self.constants, f"{key}.{place}"))
            for place, at in places.items()
            if place in given
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
            normal=tuple(float(a == self.axis - 1) for a in range(dim)),
            eps=eps,
            periods=self.lengths(dim, eps),
        )
