"""The slow variables of a box, in which a function may be told to be periodic."""

from functools import reduce

import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Forms, Jet, affine, concatenate
from hpms.network.fourier import fourier_features


def coordinates(
    x: Float[Array, "m d"],
    sides: tuple[float, ...],
    wrapped: tuple[int, ...],
    forms: Forms | None,
    low: tuple[float, ...] | None = None,
) -> Jet:
    """The jet of 2(x_a - low_a)/s_a - 1, or of (cos 2πx_a/s_a, sin 2πx_a/s_a) along the `wrapped` axes, one behind the
    other.
    """
    starts = [-1 - 2 * each / side for each, side in zip(low or (0.0,) * len(sides), sides, strict=True)]
    ends = enumerate(zip(sides, starts, strict=True))
    return reduce(concatenate, [_along(x, axis, side, start, axis in wrapped, forms) for axis, (side, start) in ends])


def inputs(dim: int, wrapped: tuple[int, ...]) -> int:
    """How many these are."""
    return dim + len(wrapped)


def _along(x: Float[Array, "m d"], axis: int, side: float, start: float, wraps: bool, forms: Forms | None) -> Jet:
    unit = jnp.zeros((x.shape[1], 1), x.dtype).at[axis].set(1 / side)
    return fourier_features(x, unit, forms) if wraps else affine(x, 2 * unit, jnp.full(1, start, x.dtype), forms)
