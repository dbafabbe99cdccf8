"""The multilayer perceptron of Section 4.4."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Jet, activate, affine, linear
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork
from hpms.network.layers import Layer, layers
from hpms.registry import register
from hpms.schema import Count


class Perceptron(AbstractNetwork):
    """v = W_L σ(... σ(W₁ x + b₁) ...) + b_L."""

    layers: tuple[Layer, ...]
    activation: str = eqx.field(static=True)

    def jet(self, x: Float[Array, "m d"]) -> Jet:
        first, *rest = self.layers
        jet = affine(x, first.weight, first.bias)
        for layer in rest:
            jet = linear(activate(jet, ACTIVATIONS[self.activation]), layer.weight, layer.bias)
        return jet


@register("network", "mlp")
@dataclass(frozen=True)
class Mlp:
    """`network=mlp`: `depth` hidden layers (paper: 8) of `width` neurons (paper: 64)."""

    width: Count
    depth: Count
    activation: Literal["tanh", "swish", "sine"]
    learning_rate: ClassVar[float] = 1e-3

    def build(self, key: PRNGKeyArray, dim: int, eps: float, dtype: jnp.dtype) -> Perceptron:
        return Perceptron(layers(key, [dim, *[self.width] * self.depth, 1], dtype), self.activation)
