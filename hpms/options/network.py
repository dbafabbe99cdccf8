"""`network=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from hpms.config.registry import register
from hpms.config.schema import Count, Depth, Positive
from hpms.errors import ConfigError
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import PRNGKeyArray

    from hpms.config.config import Config
    from hpms.network.base import AbstractNetwork, Scales
    from hpms.network.mlp import Perceptron
    from hpms.network.ms_pinn import MultiscaleFourierNetwork
    from hpms.network.two_scale import TwoScaleNetwork


class NetworkOptions(AbstractOptions, abc.ABC):
    """A network; `learning_rate` is what `optimizer.learning_rate=null` takes, `wraps` whether it can be periodic."""

    learning_rate: ClassVar[float | None] = None
    wraps: ClassVar[bool] = False

    def remarks(self, periods: tuple[float, ...] | None, eps: float) -> list[str]:
        """What is to be said of the network on a medium with these periods before it is trained."""
        return []

    @abc.abstractmethod
    def build(self, key: PRNGKeyArray, scales: Scales, dtype: np.dtype) -> AbstractNetwork:
        """The network with random parameters and `scales.outputs` outputs, before its boundary values are imposed."""


@register("network", "mlp")
@dataclass(frozen=True)
class MlpOptions(NetworkOptions):
    """`network=mlp`: `depth` hidden layers (paper: 8) of `width` neurons (paper: 64)."""

    width: Count
    depth: Depth
    activation: Literal["tanh", "swish", "sine"]
    learning_rate: ClassVar[float | None] = 1e-3
    wraps: ClassVar[bool] = True

    def build(self, key: PRNGKeyArray, scales: Scales, dtype: np.dtype) -> Perceptron:
        from hpms.network.mlp import perceptron

        return perceptron(key, scales, self.width, self.depth, self.activation, dtype)


@register("network", "ms_pinn")
@dataclass(frozen=True)
class MsPinnOptions(NetworkOptions):
    """`network=ms_pinn`: `depth` shared hidden layers (paper: 2) of `width` neurons (paper: 128).

    **Arguments:** `features` = m frequencies per scale (the paper gives no number), `scales` = (ϱ₁, ..., ϱ_K), standard
    deviations of the frequencies, arithmetic in eps; the paper's are (1, 1/ε). With `distribution=uniform` the entries
    of B^(k) are uniform in [-ϱ_k, ϱ_k] instead of normal: a band that ends, such as 8/ε for eight harmonics.
    """

    width: Count
    depth: Depth
    activation: Literal["tanh", "swish", "sine"]
    features: Count
    scales: tuple[Positive, ...]
    distribution: Literal["normal", "uniform"]
    learning_rate: ClassVar[float | None] = 5e-4

    def check(self, config: Config) -> None:
        if not self.scales:
            raise ConfigError("network.scales", "[]", "give at least one standard deviation, such as [1,1/eps]")

    def build(self, key: PRNGKeyArray, scales: Scales, dtype: np.dtype) -> MultiscaleFourierNetwork:
        from hpms.network.ms_pinn import multiscale_fourier_network

        return multiscale_fourier_network(
            key,
            scales,
            dtype,
            width=self.width,
            depth=self.depth,
            activation=self.activation,
            features=self.features,
            deviations=self.scales,
            distribution=self.distribution,
        )


@register("network", "two_scale")
@dataclass(frozen=True)
class TwoScaleOptions(NetworkOptions):
    """`network=two_scale`: `slow_width`, `slow_depth` of the network of x, `width`, `depth` of that of the fast
    variables, R = `rank` products, `harmonics` h = 1, 2, ... of the periods, `boundary_layers` multiples m of the
    lengths ℓ_i in which layers along ∂Ω decay.

    `periods` are lengths, one per axis, arithmetic in eps; null takes those of the coefficient, or where it has none
    eps along each axis. v = 0 at the start.
    """

    slow_width: Count
    slow_depth: Depth
    width: Count
    depth: Depth
    rank: Count
    harmonics: Depth
    boundary_layers: tuple[Positive, ...]
    activation: Literal["tanh", "swish", "sine"]
    periods: tuple[Positive, ...] | None
    learning_rate: ClassVar[float | None] = 1e-3
    wraps: ClassVar[bool] = True

    def check(self, config: Config) -> None:
        dim, eps = config.problem.dim, config.problem.eps
        if self.periods is not None and len(self.periods) != dim:
            raise ConfigError("network.periods", list(self.periods), f"give {dim} lengths, one per axis")
        sides, periods = config.problem.lengths, self.periods or config.coefficient.lengths(dim, eps)
        for axis in config.problem.wrapped:
            length = periods[axis] if periods else eps
            turns = sides[axis] / length
            if round(turns) < 1 or abs(turns - round(turns)) > 1e-9:
                reason = f"along x{axis + 1}, where it is to be periodic, the side {sides[axis]:g} is no multiple of it"
                raise ConfigError("network.periods", list(periods or [eps] * dim), reason)

    def remarks(self, periods: tuple[float, ...] | None, eps: float) -> list[str]:
        if periods or self.periods:
            return []
        return [f"the coefficient names no periods: the network takes problem.eps={eps:g} (network.periods)"]

    def build(self, key: PRNGKeyArray, scales: Scales, dtype: np.dtype) -> TwoScaleNetwork:
        from hpms.network.two_scale import two_scale_network

        if scales.periods is None and self.periods is None:
            scales = replace(scales, periods=(scales.eps,) * scales.dim)
        return two_scale_network(
            key,
            scales,
            dtype,
            slow_width=self.slow_width,
            slow_depth=self.slow_depth,
            width=self.width,
            depth=self.depth,
            rank=self.rank,
            harmonics=self.harmonics,
            layers_of=self.boundary_layers,
            activation=self.activation,
            periods=self.periods,
        )
