"""What the bound needs of a network in each cell and on each face: means over quadrature points."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from hpms.bound.blocks import in_blocks
from hpms.bound.cells import Cells
from hpms.bound.pointwise import FaceMoments, Moments, cell_means, jet_at, mean_and_variance, moments_at
from hpms.fem.faces import Face
from hpms.machine.devices import compiled
from hpms.network.base import Parametrised
from hpms.problem.conditions import FluxData
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import visit_blocks


def moments(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    cells: Cells,
    some: Int[np.ndarray, " k"] | None = None,
) -> Moments:
    """Of all cells, last axis fastest, or of `some` of them by their numbers."""
    axes = range(cells.dim)
    points, weights = cells.local(axes)
    every = cells.corners(axes)
    corners = every if some is None else every[some]
    return _in_cells(partial(_moments, model, theta, problem), corners, cells, points, weights)


def flux_means(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    cells: Cells,
    some: Int[np.ndarray, " k"] | None = None,
) -> tuple[Float[np.ndarray, "..."], ...]:
    """The means of (K∇w_i)_a over the faces across each axis a, of the grid's shape with one more along a (..., l); of
    `some` cells those over their low faces, (k, l).

    The means of ∇·(K∇w_i) over cells are their differences: what quadrature misses of a flux is missed on both sides
    of a face, and is no larger in the energy norm than in the flux.
    """
    found = []
    for axis in range(cells.dim):
        local, weights = cells.local([a for a in range(cells.dim) if a != axis])
        shape = tuple(n + (a == axis) for a, n in enumerate(cells.counts))
        corners = np.indices(shape).reshape(cells.dim, -1).T if some is None else cells.corners(range(cells.dim))[some]
        points = np.insert(local, axis, 0.0, axis=1)
        direction = jnp.eye(cells.dim)[axis]
        means = _in_cells(partial(_flux_means, model, theta, problem, direction), corners, cells, points, weights)
        found.append(means.reshape(*shape, -1) if some is None else means)
    return tuple(found)


def face_moments(
    model: Parametrised, theta: Float[Array, " p"], problem: LiftedProblem, cells: Cells
) -> Mapping[Face, FaceMoments]:
    """Of the faces with a condition for the flux."""
    found: dict[Face, FaceMoments] = {}
    for axis, end in problem.fluxes:
        axes = [a for a in range(cells.dim) if a != axis]
        local, weights = cells.local(axes)
        corners = np.insert(cells.corners(axes), axis, 0, axis=1)
        points = np.insert(local, axis, end * cells.counts[axis], axis=1)
        found[axis, end] = _in_cells(partial(_face_moments, model, theta, problem), corners, cells, points, weights)
    return found


def _in_cells(
    function: Callable[..., Any], corners: np.ndarray, cells: Cells, points: np.ndarray, weights: np.ndarray
) -> Any:
    """What a function of blocks of corners, the widths, and a rule's points and weights gives for each corner."""
    return in_blocks(function, corners, len(points), cells.widths, points, weights)


@compiled
def _moments(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    corners: Float[Array, "n b d"],
    widths: Float[Array, " d"],
    points: Float[Array, "g d"],
    weights: Float[Array, " g"],
) -> Moments:
    dim = len(widths)
    vertices = jnp.indices((2,) * dim, dtype=widths.dtype).reshape(dim, -1).T

    def block(corners: Array) -> Moments:
        shape = len(corners), len(points)
        xi = jnp.broadcast_to(points - 0.5, (*shape, dim)).reshape(-1, dim)

        def means(inverse: Array) -> Array:
            """Of K^{-1}_ab, K^{-1}_ab ξ_b and K^{-1}_ab ξ_aξ_b (N, 3, d, d), ξ in (-1/2, 1/2) through the cell."""
            parts = [inverse, inverse * xi[:, None, :], inverse * xi[:, :, None] * xi[:, None, :]]
            return cell_means(jnp.stack(parts, axis=1), shape, weights)

        every, ends = ((corners[:, None] + local) * widths for local in (points, vertices))
        return moments_at(model, theta, problem, every, ends, weights, means)

    return visit_blocks(block, corners)


@compiled
def _flux_means(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    direction: Float[Array, " d"],
    corners: Float[Array, "n b d"],
    widths: Float[Array, " d"],
    points: Float[Array, "g d"],
    weights: Float[Array, " g"],
) -> Float[Array, "n b l"]:
    def block(corners: Array) -> Array:
        every = ((corners[:, None] + points) * widths).reshape(-1, len(widths))
        slopes = jax.tree.map(jnp.add, jet_at(model, theta, problem, every).gradient, problem.lift.jet(every).gradient)
        stress = jnp.stack(problem.law.at(every).stress(tuple(slopes)))
        flux = jnp.tensordot(direction.astype(stress.dtype), stress, axes=1)
        return cell_means(flux, (len(corners), len(points)), weights)

    return visit_blocks(block, corners)


@compiled
def _face_moments(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    corners: Float[Array, "n b d"],
    widths: Float[Array, " d"],
    points: Float[Array, "g d"],
    weights: Float[Array, " g"],
) -> FaceMoments:
    def block(corners: Array) -> FaceMoments:
        every = ((corners[:, None] + points) * widths).reshape(-1, len(widths))
        data, jet, shape = problem.flux_data(every), jet_at(model, theta, problem, every), (len(corners), len(points))
        assert isinstance(data, FluxData)
        slope = sum(data.conormal[:, a : a + 1] * g for a, g in enumerate(jet.gradient))
        density = data.target - slope - data.rate[:, None] * jet.value
        return FaceMoments(*mean_and_variance(density, shape, weights), data.rate.reshape(shape).min(axis=1))

    return visit_blocks(block, corners)
