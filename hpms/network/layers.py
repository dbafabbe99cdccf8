"""A stack of fully connected layers."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

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
