"""`coefficient=lognormal|channels`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

from hpms.config.registry import register
from hpms.config.schema import Bound, Count, NonNegative, Positive, Width
from hpms.errors import ConfigError
from hpms.options.coefficient import CoefficientOptions
from hpms.options.media import Seed

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.problem.coefficient.channels import ChannelsCoefficient
    from hpms.problem.coefficient.lognormal import LognormalCoefficient

_MOST_MODES, _MOST_VARIANCE = 10_000, 12.0


@register("coefficient", "lognormal")
@dataclass(frozen=True)
class LognormalOptions(CoefficientOptions):
    """`coefficient=lognormal`: log K is Gaussian with covariance `variance` exp(-r²/(2 `correlation`²)) about the log
    of `geometric_mean`, from `modes` random waves of `seed`.
    """

    geometric_mean: Positive
    variance: NonNegative
    correlation: Width
    modes: Count
    seed: Seed

    def check(self, config: Config) -> None:
        _check_waves(self.variance, self.modes)

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return None

    def build(self, dim: int, eps: float) -> LognormalCoefficient:
        from hpms.problem.coefficient.lognormal import lognormal

        return lognormal(dim, self.geometric_mean, self.variance, self.correlation, self.modes, self.seed)


@register("coefficient", "channels")
@dataclass(frozen=True)
class ChannelsOptions(CoefficientOptions):
    """`coefficient=channels`: a lognormal field with channels along x₁ whose permeability is `contrast` times larger.

    The channels are where |G| is less than about `width`, of a Gaussian field G of variance 1 with the `correlation`
    length, along x₁ `stretch` times it; `geometric_mean`, `variance`, `modes` and `seed` are as in
    `coefficient=lognormal`.
    """

    geometric_mean: Positive
    variance: NonNegative
    correlation: Width
    contrast: Positive
    width: Annotated[float, Bound(least=0.05)]
    stretch: Positive
    modes: Count
    seed: Seed

    def check(self, config: Config) -> None:
        _check_waves(self.variance, self.modes)

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return None

    def build(self, dim: int, eps: float) -> ChannelsCoefficient:
        from hpms.problem.coefficient.channels import channels

        return channels(dim, **asdict(self))


def _check_waves(variance: float, modes: int) -> None:
    if variance > _MOST_VARIANCE:
        raise ConfigError("coefficient.variance", variance, f"it must be at most {_MOST_VARIANCE:g}")
    if modes > _MOST_MODES:
        raise ConfigError("coefficient.modes", modes, f"it must be at most {_MOST_MODES}")
