"""Layers along the faces of a box."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.fem.faces import Face
from hpms.jet import Forms, Jet, columns, multiply, one, scale, separable


def boundary_layers(
    x: Float[Array, "m d"], lengths: tuple[float, ...], sides: tuple[float, ...], forms: Forms | None
) -> Jet:
    """The jet of (exp(-x_i/ℓ_i), exp(-(s_i-x_i)/ℓ_i)), i = 1..d, shape (M, 2d), between x_i = 0 and the sides s_i."""
    rate = 1 / jnp.asarray(lengths, x.dtype)
    left, right = jnp.exp(-x * rate), jnp.exp((x - jnp.asarray(sides, x.dtype)) * rate)
    value = jnp.concatenate([left, right], axis=1)
    slope = jnp.concatenate([-left * rate, right * rate], axis=1)
    axes = jnp.tile(jnp.eye(x.shape[1], dtype=x.dtype), 2)
    return separable(value, slope, value * jnp.tile(rate, 2) ** 2, axes, forms)


def saturation(
    x: Float[Array, "m d"],
    lengths: tuple[float, ...],
    sides: tuple[float, ...],
    faces: tuple[Face, ...] | None,
    forms: Forms | None,
) -> Jet:
    """The jet of b(x) = Π_i (1 - exp(-x_i/ℓ_i))(1 - exp(-(s_i-x_i)/ℓ_i)), (M, 1), or the factors of some `faces`."""
    layer = boundary_layers(x, lengths, sides, forms)
    product = one(x, forms)
    for i in range(2 * x.shape[1]):
        if faces is not None and (i % x.shape[1], i // x.shape[1]) not in faces:
            continue
        factor = scale(-1.0, columns(layer, i, i + 1))
        product = multiply(product, eqx.tree_at(lambda jet: jet.value, factor, 1 + factor.value))
    return product
