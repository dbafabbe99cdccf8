"""The multilayer perceptron of Section 4.4."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Jet, activate, affine
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork, Scales
from hpms.network.layers import Layer, layers, propagate
from hpms.registry import register
from hpms.schema import Count, Depth


class Perceptron(AbstractNetwork):
    """v = W_L σ(... σ(W₁ x + b₁) ...) + b_L."""

    layers: tuple[Layer, ...]
    activation: str = eqx.field(static=True)

    def jet(self, x: Float[Array, "m d"]) -> Jet:
        sigma = ACTIVATIONS[self.activation]
        first, *rest = self.layers
        return propagate(activate(affine(x, first.weight, first.bias), sigma), rest, sigma)


@register("network", "mlp")
@dataclass(frozen=True)
class Mlp:
    """`network=mlp`: `depth` hidden layers (paper: 8) of `width` neurons (paper: 64)."""

    width: Count
    depth: Depth
    activation: Literal["tanh", "swish", "sine"]
    learning_rate: ClassVar[float] = 1e-3

    def build(self, key: PRNGKeyArray, scales: Scales, dtype: jnp.dtype) -> Perceptron:
        return Perceptron(layers(key, [scales.dim, *[self.width] * self.depth, 1], dtype), self.activation)
