"""The Jacobian J of a loss's rows r(θ): its products, and J itself in blocks."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.coupling.base import COLUMNS
from hpms.network.base import jet_of
from hpms.problem.law.base import AbstractMedium
from hpms.problem.sites import fold_blocks, visit_blocks
from hpms.training.loss import COUPLING, Loss
from hpms.training.term.base import AbstractTerm
from hpms.training.values import density_gradients, row_gradients, value_jacobian


def pullback(loss: Loss, theta: Float[Array, " p"], cotangent: Float[Array, " r"]) -> Float[Array, " p"]:
    """J^T z."""
    return jax.vjp(loss.rows, theta)[1](cotangent)[0]


def second_order(
    loss: Loss, theta: Float[Array, " p"], step: Float[Array, " p"]
) -> tuple[Float[Array, " r"], Float[Array, " r"]]:
    """J s and r''(s, s)."""
    return jax.jvp(lambda t: jax.jvp(loss.rows, (t,), (step,))[1], (theta,), (step,))


def block_jacobian(loss: Loss, term: AbstractTerm, theta: Float[Array, " p"], block: tuple) -> Float[Array, "b p"]:
    """The rows of a term that belong to a block of its points, those of one point behind each other."""

    def rows(theta: Array, point: Array, there: Any, weight: Array) -> Array:
        here = jax.tree.map(lambda a: a[None], there)
        jet = jet_of(loss.model(theta), point[None], term.forms)
        return jnp.sqrt(loss.weighting[term.name]) * term.rows(jet, here, weight[None])[0]

    return jax.vmap(row_gradients(rows), (None, 0, 0, 0))(theta, *block).reshape(-1, theta.size)


def term_jacobian(loss: Loss, term: AbstractTerm, theta: Float[Array, " p"]) -> Float[Array, "m p"]:
    """All rows of a term."""
    blocks = visit_blocks(lambda block: block_jacobian(loss, term, theta, block), term.places.blocks)
    return blocks.reshape(-1, theta.size)[: term.places.count * loss.columns]


def other_jacobian(loss: Loss, theta: Float[Array, " p"]) -> list[Float[Array, "o p"]]:
    """The rows of all terms but the first one, and of the coupling, where there are any."""
    parts, weight = [term_jacobian(loss, term, theta) for term in loss.terms[1:]], loss.weighting
    if COUPLING in weight:
        parts.append(jnp.sqrt(weight[COUPLING]) * _coupling_jacobian(loss, theta))
    return parts


def _coupling_jacobian(loss: Loss, theta: Float[Array, " p"]) -> Float[Array, "n p"]:
    """Q̄v' - (∂y/∂κ) κ', column by column."""
    coupling, view, upscaling = loss.coupling, loss.view, loss.upscaling
    assert coupling is not None and view is not None
    inside = value_jacobian(loss.model, theta, loss.value_sites) if coupling.at_points else None
    means = coupling.jacobian(density_gradients(loss.model, theta, coupling), inside)
    if upscaling.is_linear and coupling.is_linear:
        present, here = view.moments, (jnp.zeros(means.shape[:2], means.dtype), view.kappa)
    else:
        found = loss.evaluate(theta)
        assert found.means is not None
        present, here = found.moments, (found.means, found.kappa)
    moments = _moments_jacobian(loss, theta, present.size)

    def column(parts: tuple[Array, Array]) -> Array:
        mean, moment = parts
        kappa = jax.jvp(upscaling.parameters, (present,), (moment,))[1]
        return jax.jvp(lambda m, k: coupling.residual(m, k, view), here, (mean, kappa))[1]

    return jax.lax.map(column, (jnp.moveaxis(means, 2, 0), moments.T), batch_size=COLUMNS).T


def _moments_jacobian(loss: Loss, theta: Float[Array, " p"], count: int) -> Float[Array, "s p"]:
    """The derivatives of the means that κ is made of: by one pullback each, or where there are cells point by point, as
    each point has a part in the means of its own cell alone.
    """
    upscaling, collocation = loss.upscaling, loss.collocation
    if upscaling.members(collocation.sites.points[0]) is None:
        return jax.lax.map(lambda unit: loss.moments_pullback(theta, unit), jnp.eye(count, dtype=theta.dtype))

    def densities(theta: Array, point: Array, medium: AbstractMedium) -> Array:
        there = jax.tree.map(lambda a: a[None], medium)
        return upscaling.densities(loss.model(theta).jet(point[None]), there)[0]

    def add(total: Array, block: tuple[Array, AbstractMedium, Array]) -> Array:
        points, medium, weights = block
        members = upscaling.members(points)
        gradients = jax.vmap(jax.jacrev(densities), (None, 0, 0))(theta, points, medium)
        assert members is not None
        return total + jnp.tensordot(weights[:, None] * members, gradients, axes=((0,), (0,)))

    cells = math.prod(upscaling.cells)
    start = jnp.zeros((cells, count // cells, theta.size), theta.dtype)
    return fold_blocks(add, start, collocation.blocks).reshape(count, -1) / collocation.count
