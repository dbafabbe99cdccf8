"""What the bound needs of a network in each simplex and on each facet: means over quadrature points."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from hpms.bound.blocks import in_blocks
from hpms.bound.pointwise import FaceMoments, Moments, cell_means, jet_at, mean_and_variance, moments_at
from hpms.bound.simplicial.facets import Facets
from hpms.bound.simplicial.rules import Rule
from hpms.fem.mesh.simplices import Simplices
from hpms.machine.devices import compiled
from hpms.network.base import Parametrised
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import visit_blocks

FacetData = Callable[[Array], tuple[Array, Array]]  # a and g of the conditions K∇w·n + a w = g at points


def moments(
    model: Parametrised, theta: Float[Array, " p"], problem: LiftedProblem, mesh: Simplices, cells: Any, rule: Rule
) -> Moments:
    """Of the simplices that `cells` choose."""
    return _in_simplices(partial(_moments, model, theta, problem), mesh.nodes[mesh.cells[cells]], rule)


def flux_means(
    model: Parametrised, theta: Float[Array, " p"], problem: LiftedProblem, facets: Facets, some: Any, rule: Rule
) -> Float[np.ndarray, "f l"]:
    """The means of K∇w_i·n over the facets that `some` choose, with the normals n of `facets`.

    Those of ∇·(K∇w_i) over simplices are their sums: what quadrature misses of a flux is missed on both sides of a
    facet, and is no larger in the energy norm than in the flux.
    """
    return _in_simplices(partial(_flux_means, model, theta, problem), _with_normals(facets, some), rule)


def facet_moments(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    data: FacetData,
    facets: Facets,
    some: Int[np.ndarray, " k"],
    rule: Rule,
) -> FaceMoments:
    """Of facets with a condition for the flux."""
    return _in_simplices(partial(_facet_moments, model, theta, problem, data), _with_normals(facets, some), rule)


def _with_normals(facets: Facets, some: Any) -> Float[np.ndarray, "k d1 d"]:
    """The corners, and as a last row the normal, which points outward on the boundary."""
    return np.concatenate([facets.corners[some], facets.normals[some][:, None]], axis=1)


def _in_simplices(function: Callable[..., Any], rows: np.ndarray, rule: Rule) -> Any:
    return in_blocks(function, rows, len(rule[1]), *rule)


@compiled
def _moments(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    corners: Float[Array, "n b d1 d"],
    points: Float[Array, "q d1"],
    weights: Float[Array, " q"],
) -> Moments:
    def block(corners: Array) -> Moments:
        places = jnp.einsum("qi,bid->bqd", points, corners)
        arms = places[:, :, None] - corners[:, None]

        def means(inverse: Array) -> Array:
            """Of (x - v_i)·K^{-1}(x - v_j) with the corners v_i (T, d+1, d+1)."""
            each = inverse.reshape(*places.shape[:2], *inverse.shape[1:])
            return jnp.einsum("q,bqix,bqxy,bqjy->bij", weights, arms, each, arms)

        return moments_at(model, theta, problem, places, corners, weights, means)

    return visit_blocks(block, corners)


@compiled
def _flux_means(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    rows: Float[Array, "n b d1 d"],
    points: Float[Array, "q d"],
    weights: Float[Array, " q"],
) -> Float[Array, "n b l"]:
    def block(rows: Array) -> Array:
        every, normals, shape = _places(rows, points)
        return cell_means(_at_facets(model, theta, problem, every, normals)[1], shape, weights)

    return visit_blocks(block, rows)


@compiled
def _facet_moments(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    data: FacetData,
    rows: Float[Array, "n b d1 d"],
    points: Float[Array, "q d"],
    weights: Float[Array, " q"],
) -> FaceMoments:
    def block(rows: Array) -> FaceMoments:
        every, normals, shape = _places(rows, points)
        value, flux = _at_facets(model, theta, problem, every, normals)
        rate, given = data(every)
        density = given[:, None] - flux - rate[:, None] * value
        return FaceMoments(*mean_and_variance(density, shape, weights), rate.reshape(shape).min(axis=1))

    return visit_blocks(block, rows)


def _places(rows: Array, points: Array) -> tuple[Float[Array, "m d"], Float[Array, "m d"], tuple[int, int]]:
    """Points, normals there, and how many facets and points of each there are."""
    corners, normals = rows[:, :-1], rows[:, -1]
    places = jnp.einsum("qi,bid->bqd", points, corners)
    return places.reshape(-1, rows.shape[-1]), jnp.repeat(normals, len(points), axis=0), (len(rows), len(points))


def _at_facets(
    model: Parametrised, theta: Array, problem: LiftedProblem, points: Array, normals: Array
) -> tuple[Float[Array, "m l"], Float[Array, "m l"]]:
    """w_i and K∇w_i·n."""
    jet = jax.tree.map(
        jnp.add, *((j.value, j.gradient) for j in (jet_at(model, theta, problem, points), problem.lift.jet(points)))
    )
    value, slopes = jet
    stress = problem.law.at(points).stress(slopes)
    return value, sum(normals[:, a : a + 1] * each for a, each in enumerate(stress))  # type: ignore[return-value]
