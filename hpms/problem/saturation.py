"""Functions of a distance that decay, or saturate, within a length."""

import jax.numpy as jnp
from jaxtyping import Array


def decay(phi: Array, length: float) -> tuple[Array, Array, Array]:
    """exp(-φ/ℓ) and its derivatives."""
    value = jnp.exp(-phi / length)
    return value, -value / length, value / length**2


def saturated(phi: Array, length: float) -> tuple[Array, Array, Array]:
    """1 - exp(-φ/ℓ) and its derivatives."""
    value = jnp.exp(-phi / length)
    return 1 - value, value / length, -value / length**2
