"""The multiscale Fourier feature network (Ms-PINN) of Section 4.3."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.errors import ConfigError
from hpms.jet import Jet, activate, concatenate, linear
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork, Fixed, Scales, glorot
from hpms.network.fourier import fourier_features
from hpms.network.layers import Layer, layers
from hpms.registry import register
from hpms.schema import Count, Depth, Positive


class MultiscaleFourierNetwork(AbstractNetwork):
    """F^(k)(x) = (cos 2πB^(k)x, sin 2πB^(k)x), z^(k) = σ(W ... σ(W₁F^(k) + b₁) ...), v = W_L [z^(1), ..., z^(K)] + b_L.

    The hidden layers are shared between the K scales; B^(k) in R^{m×d} has entries N(0, ϱ_k²) and is not trained.
    Wang, Wang and Perdikaris, CMAME 384 (2021) 113938.
    """

    frequencies: tuple[Fixed, ...]
    trunk: tuple[Layer, ...]
    output: Layer
    activation: str = eqx.field(static=True)

    def jet(self, x: Float[Array, "m d"]) -> Jet:
        branches = [self._branch(x, frequency.array) for frequency in self.frequencies]
        jet = branches[0]
        for branch in branches[1:]:
            jet = concatenate(jet, branch)
        return linear(jet, self.output.weight, self.output.bias)

    def _branch(self, x: Float[Array, "m d"], frequency: Float[Array, "d features"]) -> Jet:
        jet = fourier_features(x, frequency)
        for layer in self.trunk:
            jet = activate(linear(jet, layer.weight, layer.bias), ACTIVATIONS[self.activation])
        return jet


@register("network", "ms_pinn")
@dataclass(frozen=True)
class MsPinn:
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
    learning_rate: ClassVar[float] = 5e-4

    def check(self, config: Any) -> None:
        if not self.scales:
            raise ConfigError("network.scales", "[]", "give at least one standard deviation, such as [1,1/eps]")

    def build(self, key: PRNGKeyArray, scales: Scales, dtype: jnp.dtype) -> MultiscaleFourierNetwork:
        trunk_key, output_key, feature_key = jax.random.split(key, 3)
        frequencies = tuple(
            Fixed(scale * self._draw(k, (scales.dim, self.features), dtype))
            for k, scale in zip(jax.random.split(feature_key, len(self.scales)), self.scales, strict=True)
        )
        trunk = layers(trunk_key, [2 * self.features, *[self.width] * self.depth], dtype)
        width = self.width * len(self.scales)
        output = Layer(glorot(output_key, (width, 1), dtype), jnp.zeros(1, dtype))
        return MultiscaleFourierNetwork(frequencies, trunk, output, self.activation)

    def _draw(self, key: PRNGKeyArray, shape: tuple[int, int], dtype: jnp.dtype) -> Float[Array, "d features"]:
        if self.distribution == "normal":
            return jax.random.normal(key, shape, dtype)
        return jax.random.uniform(key, shape, dtype, minval=-1)
