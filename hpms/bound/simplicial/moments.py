"""What the bound needs of a network in each simplex and on each facet: means over quadrature points."""

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from hpms.bound.blocks import in_blocks
from hpms.bound.pointwise import cell_means, inverse_of, jet_at, least_eigenvalue
from hpms.bound.simplicial.facets import Facets
from hpms.bound.simplicial.rules import Rule
from hpms.fem.mesh.simplices import Simplices
from hpms.machine.devices import compiled
from hpms.network.base import Parametrised
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import visit_blocks

FacetData = Callable[[Array], tuple[Array, Array]]  # a and g of the conditions K∇w·n + a w = g at points


class Moments(eqx.Module):
    """Per simplex of q - c w_i the mean, `given`, and of ρ_i = q + ∇·(K∇w_i) - c w_i the `variance` (T, l); the means
    of (x - v_i)·K^{-1}(x - v_j), v_i the corners, `inverse` (T, d+1, d+1); of K the `least` eigenvalue, at corners, too
    (T,); the least c (T,); and `energy`, the means of ∇u_i·K∇u_i (T, l), with a lift of one's own of u = w.
    """

    given: Float[Array, "*t l"]
    variance: Float[Array, "*t l"]
    inverse: Float[Array, "*t d1 d1"]
    least: Float[Array, "*t"]
    reaction: Float[Array, "*t"]
    energy: Float[Array, "*t l"]


class FacetMoments(eqx.Module):
    """Per facet of γ_i = g - K∇w_i·n - a w_i: the `mean` and the `variance` (f, l); the least a (f,)."""

    mean: Float[Array, "*f l"]
    variance: Float[Array, "*f l"]
    rate: Float[Array, "*f"]


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
) -> FacetMoments:
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
    dim = corners.shape[-1]

    def block(corners: Array) -> Moments:
        places = jnp.einsum("qi,bid->bqd", points, corners)
        every, shape = places.reshape(-1, dim), (len(corners), len(points))
        medium, jet, lift = problem.medium(every), jet_at(model, theta, problem, every), problem.lift.jet(every)
        value = jax.vmap(problem.coefficient.value)(every)
        least = least_eigenvalue(value).reshape(shape).min(axis=1)
        ends = jax.vmap(problem.coefficient.value)(corners.reshape(-1, dim))
        outer = least_eigenvalue(ends).reshape(len(corners), -1).min(axis=1)
        inverse = inverse_of(value, dim).reshape(*shape, dim, dim)
        arms = places[:, :, None] - corners[:, None]
        slopes = jet.gradient
        if problem.own_lift is not None:
            slopes = tuple(jax.tree.map(jnp.add, slopes, lift.gradient))
        rate = problem.law.reaction
        reaction = jnp.zeros(len(every)) if rate is None else jax.vmap(rate.value)(every)
        energy = jnp.sum(jnp.stack(slopes) * jnp.stack(medium.stress(slopes)), axis=0)
        source = jax.vmap(problem.source.value)(every)
        density = -medium.residual(jet)
        spread = density - jnp.repeat(cell_means(density, shape, weights), len(points), axis=0)
        return Moments(
            given=cell_means(source[:, None] - reaction[:, None] * (jet.value + lift.value), shape, weights),
            variance=cell_means(spread**2, shape, weights),
            inverse=jnp.einsum("q,bqix,bqxy,bqjy->bij", weights, arms, inverse, arms),
            least=jnp.minimum(least, outer),
            reaction=reaction.reshape(shape).min(axis=1),
            energy=cell_means(energy, shape, weights),
        )

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
) -> FacetMoments:
    def block(rows: Array) -> FacetMoments:
        every, normals, shape = _places(rows, points)
        value, flux = _at_facets(model, theta, problem, every, normals)
        rate, given = data(every)
        density = given[:, None] - flux - rate[:, None] * value
        mean = cell_means(density, shape, weights)
        spread = density - jnp.repeat(mean, len(points), axis=0)
        return FacetMoments(mean, cell_means(spread**2, shape, weights), rate.reshape(shape).min(axis=1))

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
