"""The network's error against a reference solution."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.network.base import Parametrised
from hpms.problem.sites import Sites, cut, sites


class Validation(eqx.Module):
    """Quadrature points, weights (zero at the padding), and the reference's u and ∇u there."""

    sites: Sites
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

        blocks = (self.sites.points, self.weights, self.value, self.gradient)
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
    places = sites(jnp.asarray(points), block, jnp.dtype("float64"))
    there = (cut(jnp.asarray(array), block) for array in (value, gradient))
    return Validation(places, places.blocked(jnp.asarray(weights)), *there)


@eqx.filter_jit
def relative_errors(
    measure: Validation, model: Parametrised, theta: Float[Array, " p"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """`Validation.errors`, compiled."""
    return measure.errors(model, theta)


@eqx.filter_jit
def fields(
    model: Parametrised, theta: Float[Array, " p"], sites: Sites
) -> tuple[Float[Array, " m"], Float[Array, "m d"]]:
    """v and ∇v at the points, in float64."""
    value, gradient = jax.lax.map(lambda block: _fields(model, theta, block), sites.points)
    return sites.flat(value), gradient.reshape(-1, gradient.shape[-1])[: sites.count]
