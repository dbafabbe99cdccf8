"""What the bound needs at quadrature points, and their means over cells."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.network.base import Parametrised, jet_of
from hpms.problem.lifted import LiftedProblem


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
