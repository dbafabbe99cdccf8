"""The multiscale Fourier feature network (Ms-PINN) of Section 4.3."""

from collections.abc import Sequence
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Forms, Jet, activate, concatenate, linear
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork, Fixed, Scales, glorot
from hpms.network.fourier import fourier_features
from hpms.network.layers import Layer, layers


class MultiscaleFourierNetwork(AbstractNetwork):
    """F^(k)(x) = (cos 2πB^(k)x, sin 2πB^(k)x), z^(k) = σ(W ... σ(W₁F^(k) + b₁) ...), v = W_L [z^(1), ..., z^(K)] + b_L.

    The hidden layers are shared between the K scales; B^(k) in R^{m×d} has entries N(0, ϱ_k²) and is not trained.
    Wang, Wang and Perdikaris, CMAME 384 (2021) 113938.
    """

    frequencies: tuple[Fixed, ...]
    trunk: tuple[Layer, ...]
    output: Layer
    activation: str = eqx.field(static=True)

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        branches = [self._branch(x, frequency.array, forms) for frequency in self.frequencies]
        jet = branches[0]
        for branch in branches[1:]:
            jet = concatenate(jet, branch)
        return linear(jet, self.output.weight, self.output.bias)

    def _branch(self, x: Float[Array, "m d"], frequency: Float[Array, "d features"], forms: Forms | None) -> Jet:
        jet = fourier_features(x, frequency, forms)
        for layer in self.trunk:
            jet = activate(linear(jet, layer.weight, layer.bias), ACTIVATIONS[self.activation])
        return jet


def multiscale_fourier_network(
    key: PRNGKeyArray,
    scales: Scales,
    dtype: jnp.dtype,
    *,
    width: int,
    depth: int,
    activation: str,
    features: int,
    deviations: Sequence[float],
    distribution: str,
) -> MultiscaleFourierNetwork:
    """`depth` layers of `width` neurons behind m = `features` frequencies for each of the `deviations` ϱ_k, of a normal
    or a uniform `distribution`; Glorot-initialised.
    """
    trunk_key, output_key, feature_key = jax.random.split(key, 3)
    draw = _DISTRIBUTIONS[distribution]
    frequencies = tuple(
        Fixed(scale * draw(k, (scales.dim, features), dtype))
        for k, scale in zip(jax.random.split(feature_key, len(deviations)), deviations, strict=True)
    )
    trunk = layers(trunk_key, [2 * features, *[width] * depth], dtype)
    joined = width * len(deviations)
    output = Layer(glorot(output_key, (joined, scales.outputs), dtype), jnp.zeros(scales.outputs, dtype))
    return MultiscaleFourierNetwork(frequencies, trunk, output, activation)


_DISTRIBUTIONS = {"normal": jax.random.normal, "uniform": partial(jax.random.uniform, minval=-1)}
