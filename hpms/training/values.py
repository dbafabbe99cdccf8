"""Values of a network at sites, with their pullback and their Jacobian in θ."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.network.base import Parametrised
from hpms.problem.sites import Sites, map_blocks, sum_blocks, visit_blocks


def values(model: Parametrised, theta: Float[Array, " p"], sites: Sites) -> Float[Array, "m l"]:
    """v(x_i)."""
    return sites.flat(map_blocks(lambda theta, points: model(theta).jet(points).value, theta, sites.points))


def value_pullback(
    model: Parametrised, theta: Float[Array, " p"], sites: Sites, cotangent: Float[Array, "m l"]
) -> Float[Array, " p"]:
    """Σ_i c_i·∂v(x_i)/∂θ."""

    def block_sum(theta: Array, points: Array, cotangent: Array) -> tuple[Array, Array]:
        total = jnp.sum(cotangent * model(theta).jet(points).value)
        return total, total

    return sum_blocks(block_sum, theta, sites.points, sites.blocked(cotangent))[1]


def value_jacobian(model: Parametrised, theta: Float[Array, " p"], sites: Sites) -> Float[Array, "m l p"]:
    """∂v(x_i)/∂θ_j."""
    gradients = row_gradients(lambda t, x: model(t).jet(x[None]).value[0])
    blocks = visit_blocks(lambda points: jax.vmap(gradients, (None, 0))(theta, points), sites.points)
    return sites.flat(blocks)


def row_gradients(rows: Callable[..., Float[Array, " l"]]) -> Callable[..., Float[Array, "l p"]]:
    """The gradient in θ of each entry of `rows(θ, ...)`, by one pass forwards and l back."""

    def gradients(theta: Float[Array, " p"], *rest: object) -> Float[Array, "l p"]:
        found, pull = jax.vjp(lambda t: rows(t, *rest), theta)
        return jnp.stack([pull(unit)[0] for unit in jnp.eye(found.size, dtype=found.dtype)])

    return gradients
