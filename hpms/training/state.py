"""Everything that changes during training, and the compiled chunk of iterations."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hpms.coupling.base import AbstractCouplingState
from hpms.training.objective import BOUNDARY, RESIDUAL, Objective
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


@eqx.filter_jit
def run_chunk(
    objective: Objective,
    optimizer: AbstractOptimizer,
    taus: Float[Array, " k"],
    tolerance: Float[Array, ""],
    state: TrainState,
    coupling_state: AbstractCouplingState | None,
    count: Int[Array, ""],
) -> tuple[TrainState, ChunkReport]:
    """At most `count` iterations of Algorithm 3.1 between two visits of the host, in one compiled loop.

    It stops before the step at which something is not finite, at which the optimizer stalls, or at which
    J_res + τ₁ J_bnd < tolerance; the state is then the one before that step. `count` is traced: any length runs the
    same executable, so the bits do not depend on how a run is cut into chunks.
    """
    fine = jnp.asarray([name in (RESIDUAL, BOUNDARY) for name in objective.names], taus.dtype) * taus
    fine = fine.at[objective.names.index(RESIDUAL)].set(1)

    def proceed(carry: tuple[Array, TrainState, ChunkReport]) -> Array:
        done, _, report = carry
        return (done < count) & report.finite & ~report.stalled & ~report.converged

    def iterate(carry: tuple[Array, TrainState, ChunkReport]) -> tuple[Array, TrainState, ChunkReport]:
        done, state, last = carry
        theta, optimizer_state, report = optimizer.step(
            state.theta, state.optimizer, objective.at(state.iteration), taus * state.weights, coupling_state
        )
        converged = jnp.sum(fine * report.terms) < tolerance
        new = TrainState(theta, optimizer_state, state.weights, state.iteration + 1)
        keep = report.finite & ~report.stalled & ~converged
        good = select(report.finite, state, last.good)
        return (
            done + 1,
            select(keep, new, state),
            ChunkReport(report.terms, report.finite, report.stalled, converged, good),
        )

    terms = jnp.zeros(len(objective.names), state.theta.dtype)
    start = (
        jnp.zeros((), count.dtype),
        state,
        ChunkReport(terms, jnp.array(True), jnp.array(False), jnp.array(False), state),
    )
    _, state, report = jax.lax.while_loop(proceed, iterate, start)
    return state, report


@eqx.filter_jit
def evaluate(objective: Objective, theta: Float[Array, " p"], coupling_state: AbstractCouplingState | None) -> Any:
    """`Objective.evaluate`, compiled."""
    return objective.evaluate(theta, coupling_state)


@eqx.filter_jit
def objective_gradient(
    objective: Objective,
    theta: Float[Array, " p"],
    weights: Float[Array, " k"],
    coupling_state: AbstractCouplingState | None,
) -> Float[Array, " p"]:
    """The gradient of `Objective.gradient`, compiled."""
    return objective.gradient(theta, weights, coupling_state)[0]


@eqx.filter_jit
def gradient_norms(
    objective: Objective, theta: Float[Array, " p"], coupling_state: AbstractCouplingState | None
) -> tuple[Float[Array, " k"], Float[Array, ""]]:
    """‖∇J_k‖ of each unweighted term, the coupling's with its adjoint part, and the adjoint's share of the latter; 0
    for a coupling that the schedule has switched off.

    The share is ‖adjoint‖ / (‖autodiff‖ + ‖adjoint‖), zero without a coupling.
    """
    parts = objective.term_gradients(theta, coupling_state)
    adjoint = parts.pop("adjoint", None)
    share = jnp.zeros((), theta.dtype)
    if adjoint is not None and coupling_state is not None:
        size = jnp.linalg.norm(adjoint)
        total = jnp.linalg.norm(parts["coupling"]) + size
        share = jnp.where(total > 0, size / jnp.where(total > 0, total, 1), 0)
        parts["coupling"] = jnp.where(coupling_state.strength > 0, parts["coupling"] + adjoint, 0)
    return jnp.stack([jnp.linalg.norm(parts[name]) for name in objective.names]), share
