"""Derivatives of the network and the residual against independent automatic differentiation."""

from dataclasses import replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Forms, Jet, contracted
from hpms.network.base import AbstractNetwork, jet_of
from hpms.problem.lifted import LiftedProblem
from hpms.verification.check import Check, small


def check_jet(network: AbstractNetwork, points: Float[Array, "m d"], forms: Forms | None) -> list[Check]:
    """The forward derivatives against `jax.grad` and contractions of `jax.hessian` of the network's value."""

    def value(x: Array) -> Array:
        return network.jet(x[None]).value[0]

    jet = jet_of(network, points, forms)
    gradient, hessian = jax.vmap(jax.jacrev(value))(points), jax.vmap(jax.hessian(value))(points)
    second = contracted(forms, hessian)
    name = "Laplacian of v" if forms is None else "second derivatives of v"
    return [
        small("gradient of v: forward jet = jax.grad", _relative(jnp.stack(jet.gradient, 2), gradient), 1e-10),
        small(f"{name}: forward jet = jax.hessian", _relative(jnp.stack(jet.second), jnp.stack(second)), 1e-9),
    ]


def check_manufactured(problem: LiftedProblem, points: Float[Array, "m d"]) -> list[Check]:
    """The residual of u_i(x) = Π_j sin(πx_j + i) for f = A u, differentiated as a flux or a stress, relative to f."""
    law, forms = problem.law, problem.law.forms

    def solution(x: Array) -> Array:
        return jnp.prod(jnp.sin(jnp.pi * x[:, None] + jnp.arange(problem.lifts, dtype=x.dtype)), axis=0)

    def flux(x: Array) -> Array:
        slopes = jax.jacfwd(solution)(x)
        return jnp.concatenate(law.at(x[None]).stress(tuple(slopes.T[:, None])))

    medium = law.at(points)
    value, gradient = jax.vmap(solution)(points), jax.vmap(jax.jacfwd(solution))(points)
    forcing = -jax.vmap(lambda x: jnp.einsum("aia->i", jax.jacfwd(flux)(x)))(points)
    forcing += law.reacted(points, value)
    slopes = tuple(gradient[:, :, a] for a in range(points.shape[1]))
    jet = Jet(value, slopes, contracted(forms, jax.vmap(jax.hessian(solution))(points)), forms)
    left = replace(medium, forcing=forcing).residual(jet)
    return [small("residual of a manufactured solution", float(jnp.abs(left).max() / jnp.abs(forcing).max()), 1e-10)]


def _relative(found: Array, expected: Array) -> float:
    return float(jnp.abs(found - expected).max() / jnp.abs(expected).max())
