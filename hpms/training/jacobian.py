"""The Jacobian J of a loss's rows r(θ): its products, and J itself in blocks."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.problem.lifted import Medium, residual
from hpms.problem.sites import Sites
from hpms.training.loss import BOUNDARY, COUPLING, RESIDUAL, Loss
from hpms.training.values import value_jacobian

_COLUMNS = 512  # parameters whose coupling rows are averaged at a time


def pullback(loss: Loss, theta: Float[Array, " p"], cotangent: Float[Array, " r"]) -> Float[Array, " p"]:
    """J^T z."""
    return jax.vjp(loss.rows, theta)[1](cotangent)[0]


def second_order(
    loss: Loss, theta: Float[Array, " p"], step: Float[Array, " p"]
) -> tuple[Float[Array, " r"], Float[Array, " r"]]:
    """J s and r''(s, s)."""
    return jax.jvp(lambda t: jax.jvp(loss.rows, (t,), (step,))[1], (theta,), (step,))


def interior_jacobian(loss: Loss, theta: Float[Array, " p"], block: tuple) -> Float[Array, "b p"]:
    """The rows that belong to a block of collocation points."""

    def row(theta: Array, point: Array, medium: Medium, mask: Array) -> Array:
        jet, there = loss.model(theta).jet(point[None]), jax.tree.map(lambda a: a[None], medium)
        return jnp.sqrt(loss.weighting[RESIDUAL]) * (loss.scale * mask * residual(jet, there)[0])

    return jax.vmap(jax.grad(row), (None, 0, 0, 0))(theta, *block)


def other_jacobian(loss: Loss, theta: Float[Array, " p"]) -> Float[Array, "o p"]:
    """The rows of the boundary and the coupling."""
    parts, weight = [jnp.zeros((0, theta.size), theta.dtype)], loss.weighting
    if BOUNDARY in weight:
        boundary = loss.collocation.boundary
        jacobian = value_jacobian(loss.model, theta, Sites(boundary[None], len(boundary)))
        parts.append(jnp.sqrt(weight[BOUNDARY]) * loss.boundary_scale * jacobian)
    if COUPLING in weight:
        parts.append(jnp.sqrt(weight[COUPLING]) * _coupling_jacobian(loss, theta))
    return jnp.concatenate(parts)


def _coupling_jacobian(loss: Loss, theta: Float[Array, " p"]) -> Float[Array, "n p"]:
    """Q̄v' - (∂y/∂κ) κ', column by column."""
    coupling, view, upscaling = loss.coupling, loss.view, loss.upscaling
    assert coupling is not None and view is not None
    values = value_jacobian(loss.model, theta, loss.value_sites).T if coupling.at_points else None
    nodes = value_jacobian(loss.model, theta, coupling.nodes).T
    moments = jax.lax.map(
        lambda unit: loss.moments_pullback(theta, unit), jnp.eye(view.moments.size, dtype=theta.dtype)
    )

    def column(parts: tuple[Array | None, Array, Array]) -> Array:
        value, node, moment = parts
        means = coupling.means(value, node)
        kappa = jax.jvp(upscaling.parameters, (view.moments,), (moment,))[1]
        start = (jnp.zeros_like(means), view.kappa)
        return jax.jvp(lambda m, k: coupling.residual(m, k, view), start, (means, kappa))[1]

    return jax.lax.map(column, (values, nodes, moments.T), batch_size=_COLUMNS).T
