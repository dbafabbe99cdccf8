"""The multilayer perceptron of Section 4.4."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Forms, Jet, activate, affine
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork, Scales
from hpms.network.inputs import coordinates, inputs
from hpms.network.layers import Layer, layers, propagate


class Perceptron(AbstractNetwork):
    """v = W_L σ(... σ(W₁ x + b₁) ...) + b_L; where it is to be periodic, and on a domain that is no
    box, x are the `coordinates`.
    """

    layers: tuple[Layer, ...]
    activation: str = eqx.field(static=True)
    sides: tuple[float, ...] | None = eqx.field(static=True, default=None)
    wrapped: tuple[int, ...] = eqx.field(static=True, default=())
    low: tuple[float, ...] | None = eqx.field(static=True, default=None)

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        sigma = ACTIVATIONS[self.activation]
        if self.wrapped or self.low:
            sides = self.sides or (1.0,) * x.shape[1]
            return propagate(coordinates(x, sides, self.wrapped, forms, self.low), self.layers, sigma)
        first, *rest = self.layers
        return propagate(activate(affine(x, first.weight, first.bias, forms), sigma), rest, sigma)


def perceptron(
    key: PRNGKeyArray, scales: Scales, width: int, depth: int, activation: str, dtype: jnp.dtype
) -> Perceptron:
    """`depth` hidden layers of `width` neurons, Glorot-initialised."""
    widths = [inputs(scales.dim, scales.wrapped), *[width] * depth, scales.outputs]
    return Perceptron(layers(key, widths, dtype), activation, scales.sides, scales.wrapped, scales.low)
