"""What the bound needs at quadrature points, and their means over cells."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.network.base import Parametrised, jet_of
from hpms.problem.lifted import LiftedProblem


class Moments(eqx.Module):
    """Per cell of q - c w_i, or q - s(x, w_i), the mean, `given`, and of ρ_i, which has ∇·(K∇w_i), too, the `variance`
    (N, l); means of K^{-1} with polynomials, `inverse`; of K the `least` eigenvalue, at vertices, too (N,); the least c
    (N,); and `energy`, the means of ∇u_i·K∇u_i (N, l), with a lift of one's own of u = w.
    """

    given: Float[Array, "*n l"]
    variance: Float[Array, "*n l"]
    inverse: Float[Array, "*m"]
    least: Float[Array, "*n"]
    reaction: Float[Array, "*n"]
    energy: Float[Array, "*n l"]


class FaceMoments(eqx.Module):
    """Per face of γ_i = g - K∇w_i·n - a w_i: the `mean` and the `variance` (n, l); the least a (n,)."""

    mean: Float[Array, "*n l"]
    variance: Float[Array, "*n l"]
    rate: Float[Array, "*n"]


def moments_at(
    model: Parametrised,
    theta: Array,
    problem: LiftedProblem,
    points: Float[Array, "n q d"],
    vertices: Float[Array, "n v d"],
    weights: Float[Array, " q"],
    inverse: Callable[[Float[Array, "m d d"]], Array],
) -> Moments:
    """Of N cells with q points in each; `inverse` makes of K^{-1} at all points its means."""
    shape, dim = (points.shape[0], points.shape[1]), points.shape[2]
    every, ends = points.reshape(-1, dim), vertices.reshape(-1, dim)
    medium, jet, lift = problem.medium(every), jet_at(model, theta, problem, every), problem.lift.jet(every)
    value, at_ends = (jax.vmap(problem.law.coercivity)(places) for places in (every, ends))
    outer = least_eigenvalue(at_ends).reshape(len(points), -1).min(axis=1)
    slopes = jet.gradient
    if problem.own_lift is not None:
        slopes = tuple(jax.tree.map(jnp.add, slopes, lift.gradient))
    rate = problem.law.reaction
    reaction = jnp.zeros(len(every)) if rate is None else jax.vmap(rate.value)(every)
    energy = jnp.sum(jnp.stack(slopes) * jnp.stack(medium.stress(slopes)), axis=0)
    source = jax.vmap(problem.source.value)(every)
    return Moments(
        given=cell_means(problem.each(source) - problem.law.reacted(every, jet.value + lift.value), shape, weights),
        variance=mean_and_variance(-medium.residual(jet), shape, weights)[1],
        inverse=inverse(inverse_of(value, dim)),
        least=jnp.minimum(least_eigenvalue(value).reshape(shape).min(axis=1), outer),
        reaction=reaction.reshape(shape).min(axis=1),
        energy=cell_means(energy, shape, weights),
    )


def mean_and_variance(density: Array, shape: tuple[int, int], weights: Array) -> tuple[Array, Array]:
    """Over the points of each cell."""
    mean = cell_means(density, shape, weights)
    return mean, cell_means((density - jnp.repeat(mean, shape[1], axis=0)) ** 2, shape, weights)


def jet_at(model: Parametrised, theta: Array, problem: LiftedProblem, points: Array) -> Jet:
    """That of v, in float64."""
    jet = jet_of(model(theta), points.astype(theta.dtype), problem.law.forms)
    return jax.tree.map(lambda array: array.astype(jnp.float64), jet)


def inverse_of(value: Array, dim: int) -> Float[Array, "m d d"]:
    """K^{-1}."""
    return (1 / value)[:, None, None] * jnp.eye(dim) if value.ndim == 1 else jnp.linalg.inv(value)


def least_eigenvalue(value: Array) -> Float[Array, " m"]:
    """That of K."""
    return value if value.ndim == 1 else jnp.linalg.eigvalsh(value)[:, 0]


def cell_means(array: Array, shape: tuple[int, int], weights: Array) -> Array:
    """Over the points of each cell."""
    return jnp.tensordot(weights, array.reshape(*shape, *array.shape[1:]), axes=(0, 1))
