"""Gauss-Newton steps with gain-ratio damping and geodesic acceleration (Levenberg-Marquardt)."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hpms.training.jacobian import second_order
from hpms.training.least_squares import AbstractSystem, assemble
from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer, StepReport

_ACCEPTED = 1e-3  # the least gain ratio of a step that is taken
_BENT = 0.75  # the most that |acceleration| may be of |velocity|
_RAISE = 5.0


class GaussNewtonState(eqx.Module):
    """The damping μ for the next step, and of the last one its gain ratio and the number of factorisations."""

    damping: Float[Array, ""]
    gain: Float[Array, ""]
    factorisations: Int[Array, ""]


class _Trial(eqx.Module):
    theta: Float[Array, " p"]
    damping: Float[Array, ""]
    gain: Float[Array, ""]
    count: Int[Array, ""]
    accepted: Bool[Array, ""]


class GaussNewton(AbstractOptimizer):
    """θ + δ + α/2 with (J^T J + μD) δ = -J^T r and (J^T J + μD) α = -J^T r''(δ, δ), D = diag(J^T J).

    For a linear equation and a least-squares loss this is the energy natural gradient: J^T J is the metric that the
    squared residual norm induces (Müller and Zeinhofer 2023). α follows the curved valley of the loss (Transtrum and
    Sethna 2012). The first μ of μ, 5μ, 25μ, ... is taken for which ‖α‖ <= 3/4 ‖δ‖ in the norm of D and the loss falls
    by more than a thousandth of what J promises; then μ falls by 6 or 2 if it fell by more than 3/4 or 1/4 of that, and
    rises by 1.5 otherwise.
    """

    damping: float = eqx.field(static=True)
    min_damping: float = eqx.field(static=True)
    trials: int = eqx.field(static=True)
    stall: ClassVar[str] = "no step lowers the loss, whatever the damping"

    def init(self, theta: Float[Array, " p"]) -> GaussNewtonState:
        return GaussNewtonState(jnp.asarray(self.damping, jnp.float64), jnp.zeros(()), jnp.zeros((), jnp.int32))

    def step(
        self,
        theta: Float[Array, " p"],
        optimizer_state: GaussNewtonState,
        loss: Loss,
    ) -> tuple[Float[Array, " p"], GaussNewtonState, StepReport]:
        found = loss.residuals(theta)
        rows = loss.stack(found)
        system = assemble(loss, theta, rows)
        start = _Trial(theta, optimizer_state.damping, jnp.zeros(()), jnp.zeros((), jnp.int32), jnp.array(False))
        last = jax.lax.while_loop(
            lambda trial: ~trial.accepted & (trial.count < self.trials),
            lambda trial: self._try(loss, system, theta, rows, trial),
            start,
        )
        finite = jnp.isfinite(rows).all() & jnp.isfinite(system.diagonal).all()
        report = StepReport(loss.squares(found), finite, ~last.accepted)
        return last.theta, GaussNewtonState(last.damping, last.gain, last.count), report

    def metrics(self, optimizer_state: GaussNewtonState, iteration: int) -> dict[str, float]:
        return {
            "damping": float(optimizer_state.damping),
            "gain_ratio": float(optimizer_state.gain),
            "factorisations": int(optimizer_state.factorisations),
        }

    def _try(
        self,
        loss: Loss,
        system: AbstractSystem,
        theta: Float[Array, " p"],
        rows: Float[Array, " r"],
        trial: _Trial,
    ) -> _Trial:
        factor = system.factor(trial.damping)
        velocity = -system.solve_rows(factor)
        change, curvature = second_order(loss, theta, velocity)
        acceleration = -system.solve(factor, curvature)
        step = velocity + acceleration / 2
        straight = _norm(system, acceleration) <= _BENT * _norm(system, velocity)
        before, promised = _square(rows), _square(rows + change)
        gain = (before - _square(loss.rows(theta + step))) / (before - promised)
        accepted = straight & (promised < before) & (gain > _ACCEPTED)  # false for NaN
        factor_of_damping = jnp.where(gain > 0.75, 1 / 6, jnp.where(gain > 0.25, 1 / 2, 1.5))
        damping = trial.damping * jnp.where(accepted, factor_of_damping, _RAISE)
        return _Trial(
            jnp.where(accepted, theta + step, theta),
            jnp.maximum(damping, self.min_damping),
            jnp.where(accepted, gain, 0.0),
            trial.count + 1,
            accepted,
        )


def _square(rows: Float[Array, " r"]) -> Float[Array, ""]:
    wide = rows.astype(jnp.float64)
    return wide @ wide


def _norm(system: AbstractSystem, step: Float[Array, " p"]) -> Float[Array, ""]:
    return jnp.sqrt(jnp.sum(system.diagonal * step.astype(jnp.float64) ** 2))
