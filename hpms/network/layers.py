"""A stack of fully connected layers."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from hpms.jet import Activation, Jet, activate, linear
from hpms.network.base import glorot


class Layer(eqx.Module):
    """z W + b."""

    weight: Float[Array, "n k"]
    bias: Float[Array, " k"]


def layers(key: PRNGKeyArray, widths: list[int], dtype: jnp.dtype) -> tuple[Layer, ...]:
    """Glorot-initialised layers widths[0] -> widths[1] -> ..., with zero biases."""
    keys = jax.random.split(key, len(widths) - 1)
    return tuple(
        Layer(glorot(k, (n_in, n_out), dtype), jnp.zeros(n_out, dtype))
        for k, n_in, n_out in zip(keys, widths[:-1], widths[1:], strict=True)
    )


def propagate(jet: Jet, layers: Sequence[Layer], sigma: Activation) -> Jet:
    """The jet of W_L σ(... σ(W₁ z + b₁) ...) + b_L from that of z."""
    *hidden, output = layers
    for layer in hidden:
        jet = activate(linear(jet, layer.weight, layer.bias), sigma)
    return linear(jet, output.weight, output.bias)
