"""Sine and cosine of turns, for Fourier features."""

from math import factorial

import jax.numpy as jnp
from jaxtyping import Array, Float

_TERMS = {"float32": 7, "float64": 12}  # Taylor terms that reach the precision on |angle| <= π/2


def cosine_sine(turns: Float[Array, "m n"]) -> tuple[Float[Array, "m n"], Float[Array, "m n"]]:
    """cos 2πt and sin 2πt, to rounding errors.

    t is reduced exactly to |t| <= 1/4, up to a half turn that changes both signs, where Taylor's series in (2πt)² is
    short. `jnp.cos` and `jnp.sin` of large arguments take seven times as long on CPUs.
    """
    halves = jnp.round(2 * turns)
    sign = 1 - 2 * jnp.abs(halves - 2 * jnp.round(halves / 2))
    angle = 2 * jnp.pi * (turns - halves / 2)
    count = _TERMS[turns.dtype.name]
    square = angle * angle
    return sign * _series(square, count, 0), sign * angle * _series(square, count, 1)


def _series(square: Float[Array, "m n"], count: int, odd: int) -> Float[Array, "m n"]:
    """Σ_k (-1)^k x^k/(2k + odd)! by Horner's rule."""
    total = jnp.zeros_like(square)
    for k in reversed(range(count)):
        total = total * square + (-1) ** k / factorial(2 * k + odd)
    return total
