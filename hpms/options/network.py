"""`network=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from hpms.config.registry import register
from hpms.config.schema import Bound, Count, Depth, Positive
from hpms.errors import ConfigError
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import PRNGKeyArray

    from hpms.config.config import Config
    from hpms.network.base import AbstractNetwork, Scales
    from hpms.network.fbpinn import FiniteBasisNetwork
    from hpms.network.mlp import Perceptron
    from hpms.network.ms_pinn import MultiscaleFourierNetwork
    from hpms.network.two_scale import TwoScaleNetwork


Overlap = Annotated[float, Bound(least=0.05, most=1.0)]


class NetworkOptions(AbstractOptions, abc.ABC):
    """A network; `learning_rate` is what `optimizer.learning_rate=null` takes, `wraps` whether it can be periodic."""

    learning_rate: ClassVar[float | None] = None
    wraps: ClassVar[bool] = False

    def remarks(self, periods: tuple[float, ...] | None, eps: float) -> list[str]:
        """What is to be said of the network on a medium with these periods before it is trained."""
        return []

    def in_dimensions(self, dim: int) -> NetworkOptions:
        """Itself, written in the one way that is hashed."""
        return self

    def copies(self, dim: int) -> dict[str, int]:
        """How many small networks it is made of, by the key that says so; nothing where it is one."""
        return {}

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


@register("network", "fbpinn")
@dataclass(frozen=True)
class FbpinnOptions(NetworkOptions):
    """`network=fbpinn`: a perceptron with `depth` hidden layers of `width` neurons on each of overlapping subdomains of
    the box around the domain, joined by the windows of a partition of unity.

    **Arguments:** `subdomains`, how many there are along each axis, one number for all axes alike; `coarse_subdomains`,
    those of a second level, which is added, or null for none; `overlap`, by which part of a cell of the decomposition
    two neighbours overlap: 0.05 (as gaps and steep windows begin below) to 1. v = 0 at the start.
    """

    subdomains: tuple[Count, ...]
    coarse_subdomains: tuple[Count, ...] | None
    overlap: Overlap
    width: Count
    depth: Depth
    activation: Literal["tanh", "swish", "sine"]
    learning_rate: ClassVar[float | None] = 1e-3
    wraps: ClassVar[bool] = True

    def in_dimensions(self, dim: int) -> FbpinnOptions:
        """Itself with one number for all axes, where each of them has the same."""
        return replace(self, **{key: _shortest(counts, dim) for key, counts in self._levels.items()})

    def copies(self, dim: int) -> dict[str, int]:
        return {key: prod(_along(counts, dim)) for key, counts in self._levels.items()}

    def check(self, config: Config) -> None:
        dim, points = config.problem.dim, config.collocation.interior_points
        for key, given in self._levels.items():
            if len(given) not in (1, dim):
                raise ConfigError(f"network.{key}", list(given), f"give {dim} numbers, one per axis, or one for all")
            if (number := prod(_along(given, dim))) > points:
                reason = f"these are {number} subdomains for collocation.interior_points={points}: give at most as many"
                raise ConfigError(f"network.{key}", list(given), reason)

    @property
    def _levels(self) -> dict[str, tuple[int, ...]]:
        """The subdomains of each level, by their key."""
        given = {"subdomains": self.subdomains, "coarse_subdomains": self.coarse_subdomains}
        return {key: counts for key, counts in given.items() if counts is not None}

    def build(self, key: PRNGKeyArray, scales: Scales, dtype: np.dtype) -> FiniteBasisNetwork:
        from hpms.network.fbpinn import finite_basis_network

        return finite_basis_network(
            key,
            scales,
            dtype,
            levels=[_along(counts, scales.dim) for counts in self._levels.values()],
            overlap=self.overlap,
            width=self.width,
            depth=self.depth,
            activation=self.activation,
        )


def _shortest(counts: tuple[int, ...], dim: int) -> tuple[int, ...]:
    """The one number that stands for all axes, where there is one."""
    return counts[:1] if len(counts) == dim and len(set(counts)) == 1 else counts


def _along(counts: tuple[int, ...], dim: int) -> tuple[int, ...]:
    """One for each axis."""
    return counts if len(counts) == dim else counts * dim
