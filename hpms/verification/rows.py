"""The rows of the least-squares form and their Jacobian."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.training.jacobian import pullback
from hpms.training.least_squares import assemble
from hpms.training.loss import Loss
from hpms.verification.check import Check, small
from hpms.verification.gradient import Reduced

_DAMPING, _STEP = 1e-2, 1e-5


def check_rows(reduced: Reduced, theta: Float[Array, " p"], seed: int) -> list[Check]:
    """J s by forward differentiation against central differences of r(θ, y(θ)), the coarse problem solved anew."""
    loss = reduced.fresh(theta)
    direction = np.random.default_rng(seed).standard_normal(theta.size)
    direction *= float(jnp.linalg.norm(theta)) / np.linalg.norm(direction)
    s = jnp.asarray(direction)
    tangent = np.asarray(_tangent(loss, theta, s))
    ahead, behind = (np.asarray(_rows(reduced.fresh(theta + h * s), theta + h * s)) for h in (_STEP, -_STEP))
    error = np.abs((ahead - behind) / (2 * _STEP) - tangent)
    counts = [term.places.count * loss.columns for term in loss.terms]
    starts = np.cumsum([0, *counts])
    names = [f"rows of the {term.name}: Js = differences" for term in loss.terms]
    if loss.coupling is not None:
        names.append("rows of the coupling: (Q̄v' - ∂y/∂κ κ')s = differences")
    ends = [*starts[1:], tangent.size]
    parts = zip(names, starts, ends, strict=False)
    return [small(name, _relative(error[a:b], tangent[a:b]), 1e-5) for name, a, b in parts]


def check_system(reduced: Reduced, theta: Float[Array, " p"], seed: int) -> list[Check]:
    """J as assembled from blocks against automatic differentiation of r: (J^T J + μD)x = J^T z for random z."""
    loss = reduced.fresh(theta)
    z = jnp.asarray(np.random.default_rng(seed).standard_normal(loss.count))
    return [small("assembled (JᵀJ + μD)x = Jᵀz, J by autodiff", float(_system_error(loss, theta, z)), 1e-8)]


def _relative(error: np.ndarray, size: np.ndarray) -> float:
    return float(np.linalg.norm(error) / max(np.linalg.norm(size), 1e-300))


@eqx.filter_jit
def _rows(loss: Loss, theta: Array) -> Array:
    return loss.rows(theta)


@eqx.filter_jit
def _tangent(loss: Loss, theta: Array, direction: Array) -> Array:
    return jax.jvp(loss.rows, (theta,), (direction,))[1]


@eqx.filter_jit
def _system_error(loss: Loss, theta: Array, z: Array) -> Array:
    system = assemble(loss, theta, z)
    x = system.solve_rows(system.factor(jnp.asarray(_DAMPING)))
    product = pullback(loss, theta, jax.jvp(loss.rows, (theta,), (x,))[1]) + _DAMPING * system.diagonal * x
    right = pullback(loss, theta, z)
    return jnp.linalg.norm(product - right) / jnp.linalg.norm(right)
