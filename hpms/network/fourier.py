"""Fourier features and their derivatives."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.network.turns import cosine_sine


def fourier_features(x: Float[Array, "m d"], frequency: Float[Array, "d features"]) -> Jet:
    """The jet of (cos 2πBx, sin 2πBx), with Δ = -|2πB|² on each feature."""
    angular = 2 * jnp.pi * frequency
    cosine, sine = cosine_sine(x @ frequency)
    value = jnp.concatenate([cosine, sine], axis=1)
    slope = jnp.concatenate([-sine, cosine], axis=1)
    factors = jnp.concatenate([angular, angular], axis=1)
    return Jet(value, tuple(slope * w for w in factors), -value * jnp.sum(factors**2, axis=0))
