"""Discs, balls or intervals of one material in another."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient


class InclusionsCoefficient(AbstractCoefficient):
    """K(x) = k + (k' - k)(1 - Π_j (1 - s_j(x))), s_j = (1 - tanh((|x - c_j|² - r²)/(2rη)))/2.

    k' holds within the distance r of a centre c_j, k elsewhere, and the interface is smoothed over the length η: next
    to it the argument is (|x - c_j| - r)/η. With `periods` the centres are those about the cell of x.
    """

    matrix: float = eqx.field(static=True)
    inclusion: float = eqx.field(static=True)
    radius: float = eqx.field(static=True)
    smoothing: float = eqx.field(static=True)
    centres: Float[Array, "n d"]
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        if self.periods is not None:
            x = x % jnp.asarray(self.periods, dtype=x.dtype)
        distance = jnp.sum((x - self.centres.astype(x.dtype)) ** 2, axis=1)
        outside = 0.5 * (1 + jnp.tanh((distance - self.radius**2) / (2 * self.radius * self.smoothing)))
        return self.matrix + (self.inclusion - self.matrix) * (1 - jnp.prod(outside))

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        return autodiff_gradient(self, x)


def array_of_centres(period: float, dim: int) -> Float[np.ndarray, "n d"]:
    """The middles of the cell (0, period)^d and of its 3^d - 1 neighbours."""
    axis = period * np.array([-0.5, 0.5, 1.5])
    return np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
