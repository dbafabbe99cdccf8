"""The multilayer perceptron of Section 4.4."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Jet, activate, affine
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork, Scales
from hpms.network.layers import Layer, layers, propagate


class Perceptron(AbstractNetwork):
    """v = W_L σ(... σ(W₁ x + b₁) ...) + b_L."""

    layers: tuple[Layer, ...]
    activation: str = eqx.field(static=True)

    def jet(self, x: Float[Array, "m d"]) -> Jet:
        sigma = ACTIVATIONS[self.activation]
        first, *rest = self.layers
        return propagate(activate(affine(x, first.weight, first.bias), sigma), rest, sigma)


def perceptron(
    key: PRNGKeyArray, scales: Scales, width: int, depth: int, activation: str, dtype: jnp.dtype
) -> Perceptron:
    """`depth` hidden layers of `width` neurons, Glorot-initialised."""
    return Perceptron(layers(key, [scales.dim, *[width] * depth, scales.outputs], dtype), activation)
