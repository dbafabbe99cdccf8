"""`coefficient=function`, `source=function`: functions of one point, which Python gives (`hpms.Problem`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpms.config.registry import register
from hpms.config.schema import Positive
from hpms.errors import ConfigError
from hpms.named import is_named
from hpms.options.coefficient import CoefficientOptions, check_periods
from hpms.options.source import SourceOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.problem.coefficient.function import FunctionCoefficient
    from hpms.problem.source.function import FunctionSource


@register("coefficient", "function")
@dataclass(frozen=True)
class FunctionOptions(CoefficientOptions):
    """`coefficient=function`: K^ε(x), a number or a symmetric matrix (d, d), by a function of Python.

    **Arguments:** `function` is its name and the digest of its values, `module:qualname#digest`; `periods`, one length
    per axis (arithmetic in eps) or one for all, or null where the medium has none.
    """

    function: str
    periods: tuple[Positive, ...] | None

    def check(self, config: Config) -> None:
        _check_name(self.function, "coefficient.function")
        check_periods(self.periods, config.problem.dim)

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return self.periods

    def build(self, dim: int, eps: float) -> FunctionCoefficient:
        from hpms.problem.coefficient.function import function_coefficient
        from hpms.problem.point_function import recalled

        return function_coefficient(recalled(self.function, "coefficient", dim > 1), dim, self.periods)


@register("source", "function")
@dataclass(frozen=True)
class FunctionSourceOptions(SourceOptions):
    """`source=function`: q(x) by a function of Python, `function` as above."""

    function: str

    def check(self, config: Config) -> None:
        _check_name(self.function, "source.function")

    def build(self, dim: int, eps: float) -> FunctionSource:
        from hpms.problem.point_function import recalled
        from hpms.problem.source.function import FunctionSource

        return FunctionSource(recalled(self.function, "source"))


def _check_name(text: str, key: str) -> None:
    if not is_named(text):
        raise ConfigError(key, text, "it is module:qualname#digest, which hpms.Problem writes")
