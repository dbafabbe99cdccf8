"""A coefficient given by the pixels of an image, smoothed."""

from collections.abc import Sequence
from math import ceil

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import ndimage

from hpms.problem.coefficient.base import AbstractCoefficient

_REACH = 4  # nodes at which a cubic B-spline is not 0
_MOST_PARTS, _MOST_NODES = 8, 4_000_000


class ImageCoefficient(AbstractCoefficient):
    """log K(x) = Σ_j c_j Π_a β((x_a/h_a) - j_a - 1/2), with the cubic B-spline β and the pixels' sides h_a = s_a/n_a.

    c_j are the pixels' log K, so that K stays between the least and the greatest of them, and K and 1/K are treated
    alike; beyond ∂Ω those at the boundary go on, or the others follow again where K is periodic. K has continuous
    second derivatives.
    """

    nodes: Float[Array, "*n"]
    sides: tuple[float, ...] = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        local, weights, _ = self._around(x)
        return jnp.exp(_contracted(local, weights))

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        local, weights, slopes = self._around(x)
        axes = range(len(weights))
        along = [_contracted(local, [slopes[b] if a == b else weights[b] for b in axes]) for a in axes]
        return jnp.exp(_contracted(local, weights)) * jnp.stack(along)

    def _around(
        self, x: Float[Array, " d"]
    ) -> tuple[Float[Array, "*four"], list[Float[Array, " 4"]], list[Float[Array, " 4"]]]:
        """The nodes that matter at x, and β and its derivative there, axis by axis."""
        places, weights, slopes = [], [], []
        for axis, (side, count) in enumerate(zip(self.sides, self.nodes.shape, strict=True)):
            place = x[axis] * (count / side) - 0.5
            first = jnp.floor(place)
            index = first.astype(int) + jnp.arange(-1, _REACH - 1)
            places.append(index % count if self.periods else jnp.clip(index, 0, count - 1))
            weights.append(_cubic(place - first))
            slopes.append(_slope(place - first) * (count / side))
        return self.nodes[jnp.ix_(*places)], weights, slopes


def image_coefficient(
    values: Float[np.ndarray, "*n"], sides: Sequence[float], smoothing: float, periods: tuple[float, ...] | None
) -> ImageCoefficient:
    """K of pixels with these values on the box with these sides, log K first smoothed by a Gaussian of the deviation
    `smoothing`, a length; where a pixel is longer than that, it is first cut into up to 8 along each axis, so that
    the splines smooth no more than the Gaussian does.
    """
    for axis, side in enumerate(sides):
        parts = min(_MOST_PARTS, ceil(side / (values.shape[axis] * smoothing))) if smoothing else 1
        if values.size * parts <= _MOST_NODES:
            values = np.repeat(values, parts, axis=axis)
    deviations = [smoothing * count / side for count, side in zip(values.shape, sides, strict=True)]
    smooth = ndimage.gaussian_filter(np.log(values), deviations, mode="wrap" if periods else "nearest")
    return ImageCoefficient(nodes=jnp.asarray(smooth), sides=tuple(sides), periods=periods)


def _contracted(local: Float[Array, "*four"], weights: list[Float[Array, " 4"]]) -> Float[Array, ""]:
    for weight in weights:
        local = jnp.tensordot(weight, local, axes=1)
    return local


def _cubic(t: Float[Array, ""]) -> Float[Array, " 4"]:
    """β at distances of 1 + t, t, 1 - t and 2 - t."""
    s = 1 - t
    return jnp.stack([s**3, 3 * t**3 - 6 * t**2 + 4, 3 * s**3 - 6 * s**2 + 4, t**3]) / 6


def _slope(t: Float[Array, ""]) -> Float[Array, " 4"]:
    """Their derivatives in t."""
    s = 1 - t
    return jnp.stack([-(s**2), 3 * t**2 - 4 * t, -3 * s**2 + 4 * s, t**2]) / 2
