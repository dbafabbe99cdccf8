"""Activations with their first two derivatives: each maps z to (σ(z), σ'(z), σ''(z))."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Activation

Triple = tuple[Float[Array, "m n"], Float[Array, "m n"], Float[Array, "m n"]]


def tanh(z: Float[Array, "m n"]) -> Triple:
    t = jnp.tanh(z)
    first = 1 - t * t
    return t, first, -2 * t * first


def swish(z: Float[Array, "m n"]) -> Triple:
    """σ(z) = z s(z) with the logistic function s, s' = s(1 - s)."""
    s = jax.nn.sigmoid(z)
    slope = s * (1 - s)
    return z * s, s + z * slope, slope * (2 + z * (1 - 2 * s))


def sine(z: Float[Array, "m n"]) -> Triple:
    s = jnp.sin(z)
    return s, jnp.cos(z), -s


ACTIVATIONS: dict[str, Activation] = {"tanh": tanh, "swish": swish, "sine": sine}
