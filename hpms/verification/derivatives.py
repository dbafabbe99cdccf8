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
    """The residual of u(x) = Π sin(πx_i) for f = A u, differentiated as a flux, relative to f."""

    def solution(x: Array) -> Array:
        return jnp.prod(jnp.sin(jnp.pi * x))

    def flux(x: Array) -> Array:
        return jnp.dot(problem.coefficient.value(x), jax.grad(solution)(x))

    medium = problem.law.at(points)
    value = jax.vmap(solution)(points)[:, None]
    forcing = -jax.vmap(lambda x: jnp.trace(jax.jacfwd(flux)(x)))(points)[:, None]
    if (reaction := problem.law.reaction) is not None:
        forcing += jax.vmap(reaction.value)(points)[:, None] * value
    gradient, hessian = jax.vmap(jax.grad(solution))(points), jax.vmap(jax.hessian(solution))(points)
    forms = problem.law.forms
    slopes = tuple(gradient[:, i : i + 1] for i in range(points.shape[1]))
    jet = Jet(value, slopes, contracted(forms, hessian[:, None]), forms)
    left = replace(medium, forcing=forcing).residual(jet)
    return [small("residual of a manufactured solution", float(jnp.abs(left).max() / jnp.abs(forcing).max()), 1e-10)]


def _relative(found: Array, expected: Array) -> float:
    return float(jnp.abs(found - expected).max() / jnp.abs(expected).max())
