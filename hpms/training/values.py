"""Values of a network at sites, with their pullback and their Jacobian in θ."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.network.base import Parametrised
from hpms.problem.sites import Sites, map_blocks, sum_blocks


def values(model: Parametrised, theta: Float[Array, " p"], sites: Sites) -> Float[Array, " m"]:
    """v(x_i)."""
    return sites.flat(map_blocks(lambda points: model(theta).jet(points).value[:, 0], sites.points))


def value_pullback(
    model: Parametrised, theta: Float[Array, " p"], sites: Sites, cotangent: Float[Array, " m"]
) -> Float[Array, " p"]:
    """Σ_i c_i ∂v(x_i)/∂θ."""

    def block_sum(theta: Array, points: Array, cotangent: Array) -> tuple[Array, Array]:
        total = jnp.sum(cotangent * model(theta).jet(points).value[:, 0])
        return total, total

    return sum_blocks(block_sum, theta, sites.points, sites.blocked(cotangent))[1]


def value_jacobian(model: Parametrised, theta: Float[Array, " p"], sites: Sites) -> Float[Array, "m p"]:
    """∂v(x_i)/∂θ_j."""
    gradient = jax.grad(lambda t, x: model(t).jet(x[None]).value[0, 0])
    blocks = jax.lax.map(lambda points: jax.vmap(gradient, (None, 0))(theta, points), sites.points)
    return blocks.reshape(-1, theta.size)[: sites.count]
