"""Fourier features and their derivatives."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Forms, Jet, quadratic, wanted
from hpms.network.turns import cosine_sine


def fourier_features(x: Float[Array, "m d"], frequency: Float[Array, "d features"], forms: Forms | None) -> Jet:
    """The jet of (cos 2πBx, sin 2πBx), with M : ∇² = -(2πb)·M(2πb) on the feature of a column b."""
    angular = 2 * jnp.pi * frequency
    cosine, sine = cosine_sine(x @ frequency)
    value = jnp.concatenate([cosine, sine], axis=1)
    slope = jnp.concatenate([-sine, cosine], axis=1)
    factors = jnp.concatenate([angular, angular], axis=1)
    rows = tuple(factors)
    second = tuple(-value * quadratic(form, rows, rows) for form in wanted(forms, len(rows)))
    return Jet(value, tuple(slope * w for w in factors), second, forms)
