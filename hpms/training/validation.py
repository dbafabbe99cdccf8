"""The network's error against a reference solution."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.network.base import Parametrised


class Validation(eqx.Module):
    """Quadrature points in n blocks, weights (zero at the padding), and the reference's u and ∇u there."""

    points: Float[Array, "n block d"]
    weights: Float[Array, "n block"]
    value: Float[Array, "n block"]
    gradient: Float[Array, "n block d"]

    def errors(self, model: Parametrised, theta: Float[Array, " p"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """‖v - u‖/‖u‖ and ‖∇v - ∇u‖/‖∇u‖ in L²(Ω), by quadrature."""

        def squares(block: tuple[Array, Array, Array, Array]) -> Array:
            points, weights, u, du = block
            v, dv = _fields(model, theta, points)
            return jnp.stack(
                [
                    jnp.sum(weights * (v - u) ** 2),
                    jnp.sum(weights * u**2),
                    jnp.sum(weights[:, None] * (dv - du) ** 2),
                    jnp.sum(weights[:, None] * du**2),
                ]
            )

        blocks = (self.points, self.weights, self.value, self.gradient)
        error, size, slope_error, slope_size = jnp.sum(jax.lax.map(squares, blocks), axis=0)
        return jnp.sqrt(error / size), jnp.sqrt(slope_error / slope_size)


def _fields(model: Parametrised, theta: Array, points: Array) -> tuple[Array, Array]:
    jet = model(theta).jet(points.astype(theta.dtype))
    gradient = jnp.concatenate(jet.gradient, axis=1)
    return jet.value[:, 0].astype(jnp.float64), gradient.astype(jnp.float64)


def validation(
    points: np.ndarray, weights: np.ndarray, value: np.ndarray, gradient: np.ndarray, block: int
) -> Validation:
    """`Validation` from points (M, d), weights (M,), u (M,) and ∇u (M, d), in blocks of at most `block` points."""
    return Validation(
        blocked(points, block), blocked(weights, block, "constant"), blocked(value, block), blocked(gradient, block)
    )


def blocked(array: np.ndarray, block: int, mode: Literal["edge", "constant"] = "edge") -> Array:
    """An array (M, ...) in blocks of at most `block` rows, padded with copies of the last row or with zeros."""
    size = min(block, len(array))
    padded = np.pad(array, [(0, -len(array) % size)] + [(0, 0)] * (array.ndim - 1), mode=mode)
    return jnp.asarray(padded.reshape(-1, size, *array.shape[1:]))


@eqx.filter_jit
def relative_errors(
    measure: Validation, model: Parametrised, theta: Float[Array, " p"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """`Validation.errors`, compiled."""
    return measure.errors(model, theta)


@eqx.filter_jit
def fields(
    model: Parametrised, theta: Float[Array, " p"], points: Float[Array, "n block d"]
) -> tuple[Float[Array, "n block"], Float[Array, "n block d"]]:
    """v and ∇v at the points, in float64."""
    return jax.lax.map(lambda block: _fields(model, theta, block), points)
