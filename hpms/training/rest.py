"""The terms of v = 0, where training that finds no solution ends, and of functions without a corrector."""

from functools import reduce
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.coupling.base import AbstractCoarseSolver
from hpms.jet import Jet, wanted
from hpms.machine.devices import compiled
from hpms.problem.law.base import AbstractMedium
from hpms.problem.sites import visit_blocks
from hpms.training.loss import Evaluation, Loss


def trivial_loss(loss: Loss) -> float:
    """J_res of v = 0, |Ω|/M_Ω Σ f^ε(x^r)²."""
    places, scale = loss.collocation, loss.terms[0].scale
    weights, forcing = (np.asarray(array, np.float64) for array in (places.weights, places.there.forcing))
    return scale**2 * float(np.sum(weights[..., None] * forcing**2))


def at_rest(loss: Loss, solver: AbstractCoarseSolver) -> tuple[float, Float[np.ndarray, " p"]]:
    """R_δ of v = 0 with the coarse state of its K̃, a mean of K, and the κ of that."""
    moments = _moments(loss)
    nothing = jnp.zeros((len(solver.nodes), solver.columns), moments.dtype)
    found = Evaluation(jnp.zeros(1, moments.dtype), loss.upscaling.parameters(moments), moments, nothing)
    view = solver.view(solver.update(solver.initial(), found))
    assert loss.coupling is not None
    rows = np.asarray(loss.coupling.residual(nothing, view.kappa, view), np.float64)
    return float(rows @ rows), np.asarray(view.kappa, np.float64)


@compiled
def rate_of_slopes(loss: Loss) -> Float[Array, ""]:
    """What a constant gradient costs in the residual for each unit of its energy, Σ_a ∫|A x_a|² / Σ_a ∫ ∂_a x_a·K∇x_a
    without reaction: of the order of K/ε² where K oscillates, since x_a has no corrector; of
    vectors for each component.
    """

    def sums(block: tuple[Array, AbstractMedium, Array]) -> Array:
        points, medium, weights = block
        columns = medium.components
        zero, one = jnp.zeros((len(points), columns), points.dtype), jnp.ones((len(points), columns), points.dtype)
        forms, dim = loss.terms[0].forms, points.shape[1]
        found = jnp.zeros(2, points.dtype)
        for axis, i in product(range(dim), range(columns)):
            slopes = tuple(one * jax.nn.one_hot(i, columns, dtype=one.dtype) if a == axis else zero for a in range(dim))
            missed = medium.operator(Jet(zero, slopes, (zero,) * len(wanted(forms, dim)), forms))
            lost = reduce(jnp.add, (weights @ missed[:, j] ** 2 for j in range(columns)))
            found += jnp.stack([lost, weights @ medium.stress(slopes)[axis][:, i]])
        return found

    residual, energy = jnp.sum(visit_blocks(sums, loss.collocation.blocks), axis=0)
    return residual / energy


@compiled
def _moments(loss: Loss) -> Float[Array, " s"]:
    def sums(block: tuple[Array, AbstractMedium, Array]) -> Array:
        points, medium, weights = block
        zero = jnp.zeros((len(points), loss.columns), points.dtype)
        return loss.upscaling.moments(points, Jet(zero, (zero,) * points.shape[1], (zero,)), medium, weights)

    return jnp.sum(visit_blocks(sums, loss.collocation.blocks), axis=0) / loss.collocation.count
