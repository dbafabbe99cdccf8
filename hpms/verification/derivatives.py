"""Derivatives of the network and the residual against independent automatic differentiation."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.network.base import AbstractNetwork
from hpms.problem.lifted import LiftedProblem, Medium, residual
from hpms.verification.check import Check, small


def check_jet(network: AbstractNetwork, points: Float[Array, "m d"]) -> list[Check]:
    """The forward Laplacian against `jax.grad` and the trace of `jax.hessian` of the network's value."""

    def value(x: Array) -> Array:
        return network.jet(x[None]).value[0]

    jet = network.jet(points)
    gradient = jax.vmap(jax.jacrev(value))(points)
    laplacian = jax.vmap(lambda x: jnp.trace(jax.hessian(value)(x), axis1=1, axis2=2))(points)
    return [
        small("gradient of v: forward jet = jax.grad", _relative(jnp.stack(jet.gradient, 2), gradient), 1e-10),
        small("Laplacian of v: forward jet = jax.hessian", _relative(jet.laplacian, laplacian), 1e-9),
    ]


def check_manufactured(problem: LiftedProblem, points: Float[Array, "m d"]) -> list[Check]:
    """The residual of u(x) = Π sin(πx_i) for f = -∇·(K∇u), differentiated as a flux, relative to f."""

    def solution(x: Array) -> Array:
        return jnp.prod(jnp.sin(jnp.pi * x))

    def flux(x: Array) -> Array:
        return problem.coefficient.value(x) * jax.grad(solution)(x)

    forcing = -jax.vmap(lambda x: jnp.trace(jax.jacfwd(flux)(x)))(points)[:, None]
    gradient = jax.vmap(jax.grad(solution))(points)
    laplacian = jax.vmap(lambda x: jnp.trace(jax.hessian(solution)(x)))(points)
    jet = Jet(
        jax.vmap(solution)(points)[:, None],
        tuple(gradient[:, i : i + 1] for i in range(points.shape[1])),
        laplacian[:, None],
    )
    medium = problem.medium(points)
    left = residual(jet, Medium(medium.coefficient, medium.gradient, forcing))
    return [small("residual of a manufactured solution", float(jnp.abs(left).max() / jnp.abs(forcing).max()), 1e-10)]


def _relative(found: Array, expected: Array) -> float:
    return float(jnp.abs(found - expected).max() / jnp.abs(expected).max())
