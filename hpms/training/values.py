"""Values of a network, and the densities of a coupling at its nodes, with their pullbacks and Jacobians in θ."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.coupling.base import AbstractCoupling
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


def densities(model: Parametrised, theta: Float[Array, " p"], coupling: AbstractCoupling) -> Float[Array, " f l *k"]:
    """The densities at the nodes."""
    found = map_blocks(lambda theta, block: _density(model, theta, coupling, block), theta, coupling.blocks)
    return coupling.nodes.flat(found)


def density_pullback(
    model: Parametrised, theta: Float[Array, " p"], coupling: AbstractCoupling, cotangent: Float[Array, " f l *k"]
) -> Float[Array, " p"]:
    """Σ_i c_i·∂ρ(x_i)/∂θ of the densities ρ."""

    def block_sum(theta: Array, block: Any, cotangent: Array) -> tuple[Array, Array]:
        total = jnp.sum(cotangent * _density(model, theta, coupling, block))
        return total, total

    return sum_blocks(block_sum, theta, coupling.blocks, coupling.nodes.blocked(cotangent))[1]


def density_gradients(
    model: Parametrised, theta: Float[Array, " p"], coupling: AbstractCoupling
) -> Callable[[Any], Float[Array, " g l *k p"]]:
    """The derivatives of the groups' mean densities, for one block of nodes."""

    def mean(theta: Array, group: Any) -> Array:
        return jnp.mean(_density(model, theta, coupling, group), axis=0)

    def gradients(block: Any) -> Array:
        groups = jax.tree.map(lambda array: array.reshape(-1, coupling.group, *array.shape[1:]), block)
        shape = jax.eval_shape(mean, theta, jax.tree.map(lambda array: array[0], groups)).shape
        rows = row_gradients(lambda theta, group: mean(theta, group).ravel())
        found = jax.vmap(rows, (None, 0))(theta, groups)
        return found.reshape(len(found), *shape, theta.size)

    return gradients


def _density(model: Parametrised, theta: Array, coupling: AbstractCoupling, block: Any) -> Array:
    points, there = block
    return coupling.density(model(theta).jet(points), there)


def row_gradients(rows: Callable[..., Float[Array, " l"]]) -> Callable[..., Float[Array, "l p"]]:
    """The gradient in θ of each entry of `rows(θ, ...)`, by one pass forwards and l back."""

    def gradients(theta: Float[Array, " p"], *rest: object) -> Float[Array, "l p"]:
        found, pull = jax.vjp(lambda t: rows(t, *rest), theta)
        return jnp.stack([pull(unit)[0] for unit in jnp.eye(found.size, dtype=found.dtype)])

    return gradients
