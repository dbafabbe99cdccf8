"""Everything that changes during training, and the compiled chunk of iterations."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hpms.coupling.base import CoarseView
from hpms.machine.devices import compiled
from hpms.training.loss import COUPLING, Evaluation, Loss
from hpms.training.optimizer.base import AbstractOptimizer
from hpms.training.optimizer.tree import select


class TrainState(eqx.Module):
    """Parameters θ (P,), optimizer state, balancing weights λ (k,), and the number of iterations done."""

    theta: Float[Array, " p"]
    optimizer: Any
    weights: Float[Array, " k"]
    iteration: Int[Array, ""]


class ChunkReport(eqx.Module):
    """The terms at the last point evaluated, why the chunk ended early, if it did, and the last state that is `good`:
    all terms and gradients there are finite.
    """

    terms: Float[Array, " k"]
    finite: Bool[Array, ""]
    stalled: Bool[Array, ""]
    converged: Bool[Array, ""]
    good: TrainState


def misfit(loss: Loss, taus: Any, terms: Any) -> Any:
    """J_res + τ₁ J_bnd, all but the coupling: what a tolerance is for, from arrays of JAX or NumPy."""
    return (taus * terms)[: len(loss.terms)].sum()


@compiled
def run_chunk(
    loss: Loss,
    optimizer: AbstractOptimizer,
    taus: Float[Array, " k"],
    tolerance: Float[Array, ""],
    state: TrainState,
    view: CoarseView | None,
    count: Int[Array, ""],
) -> tuple[TrainState, ChunkReport]:
    """At most `count` iterations of Algorithm 3.1 between two visits of the host, in one compiled loop.

    It stops before the step at which something is not finite, at which the optimizer stalls, or at which
    J_res + τ₁ J_bnd < tolerance; the state is then the one before that step. `count` is traced: any length runs the
    same executable, so the bits do not depend on how a run is cut into chunks.
    """

    def proceed(carry: tuple[Array, TrainState, ChunkReport]) -> Array:
        done, _, report = carry
        return (done < count) & report.finite & ~report.stalled & ~report.converged

    def iterate(carry: tuple[Array, TrainState, ChunkReport]) -> tuple[Array, TrainState, ChunkReport]:
        done, state, last = carry
        now = loss.at(state.iteration).weighted(taus * state.weights, view)
        theta, optimizer_state, report = optimizer.step(state.theta, state.optimizer, now)
        converged = misfit(loss, taus, report.terms) < tolerance
        new = TrainState(theta, optimizer_state, state.weights, state.iteration + 1)
        keep = report.finite & ~report.stalled & ~converged
        good = select(report.finite, state, last.good)
        return (
            done + 1,
            select(keep, new, state),
            ChunkReport(report.terms, report.finite, report.stalled, converged, good),
        )

    terms = jnp.zeros(len(loss.names), state.theta.dtype)
    start = (
        jnp.zeros((), count.dtype),
        state,
        ChunkReport(terms, jnp.array(True), jnp.array(False), jnp.array(False), state),
    )
    _, state, report = jax.lax.while_loop(proceed, iterate, start)
    return state, report


@compiled
def evaluate(loss: Loss, theta: Float[Array, " p"], view: CoarseView | None) -> Evaluation:
    """`Loss.evaluate`, compiled."""
    return loss.weighted(None, view).evaluate(theta)


@compiled
def gradient(
    loss: Loss, theta: Float[Array, " p"], weights: Float[Array, " k"], view: CoarseView | None
) -> Float[Array, " p"]:
    """The gradient of `Loss.gradient`, compiled."""
    return loss.weighted(weights, view).gradient(theta)[0]


@compiled
def gradient_norms(
    loss: Loss, theta: Float[Array, " p"], view: CoarseView | None
) -> tuple[Float[Array, " k"], Float[Array, ""]]:
    """‖∇J_k‖ of each unweighted term, the coupling's with its adjoint part, and the adjoint's share of the latter; 0
    for a coupling that the schedule has switched off.

    The share is ‖adjoint‖ / (‖autodiff‖ + ‖adjoint‖), zero without a coupling.
    """
    parts = loss.weighted(None, view).term_gradients(theta)
    adjoint = parts.pop("adjoint", None)
    share = jnp.zeros((), theta.dtype)
    if adjoint is not None and view is not None:
        size = jnp.linalg.norm(adjoint)
        total = jnp.linalg.norm(parts[COUPLING]) + size
        share = jnp.where(total > 0, size / jnp.where(total > 0, total, 1), 0)
        parts[COUPLING] = jnp.where(view.strength > 0, parts[COUPLING] + adjoint, 0)
    return jnp.stack([jnp.linalg.norm(parts[name]) for name in loss.names]), share
