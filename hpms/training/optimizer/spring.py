"""SPRING: damped Gauss-Newton steps that remember the last one."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from hpms.training.least_squares import assemble
from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer, StepReport

_HALVINGS = 30


class SpringState(eqx.Module):
    """The last direction, and the step length that was taken along it."""

    direction: Float[Array, " p"]
    length: Float[Array, ""]


class Spring(AbstractOptimizer):
    """θ + s φ, φ = m φ_last - (J^T J + μD)^{-1} J^T (r + m J φ_last), s the first of 1, 1/2, ... that lowers the loss.

    φ minimises ‖r + Jφ‖² + μ ‖φ - m φ_last‖²_D: what the points of this step do not determine is carried over from the
    last ones, which suits few fresh points, and then the system is solved in residual space. Goldshlager, Abrahamsen
    and Lin (2024); for PINNs Guzmán-Cordero, Dangel, Goldshlager and Zeinhofer (2025).
    """

    damping: float = eqx.field(static=True)
    momentum: float = eqx.field(static=True)
    stall: ClassVar[str] = "no step along the direction lowers the loss"

    def init(self, theta: Float[Array, " p"]) -> SpringState:
        return SpringState(jnp.zeros_like(theta), jnp.zeros((), theta.dtype))

    def step(
        self,
        theta: Float[Array, " p"],
        optimizer_state: SpringState,
        loss: Loss,
    ) -> tuple[Float[Array, " p"], SpringState, StepReport]:
        kept = self.momentum * optimizer_state.direction
        rows, change = jax.jvp(loss.rows, (theta,), (kept,))
        system = assemble(loss, theta, rows)
        factor = system.factor(jnp.asarray(self.damping, jnp.float64))
        direction = kept - system.solve(factor, rows + change)
        before = jnp.sum(rows**2)

        def is_lower(length: Array) -> Bool[Array, ""]:
            return jnp.sum(loss.rows(theta + length * direction) ** 2) < before

        def proceed(carry: tuple[Array, Int[Array, ""]]) -> Bool[Array, ""]:
            return ~is_lower(carry[0]) & (carry[1] < _HALVINGS)

        start = (jnp.ones((), theta.dtype), jnp.zeros((), jnp.int32))
        length, halvings = jax.lax.while_loop(proceed, lambda carry: (carry[0] / 2, carry[1] + 1), start)
        finite = jnp.isfinite(rows).all() & jnp.isfinite(direction).all()
        report = StepReport(loss.squares(loss.residuals(theta)), finite, halvings >= _HALVINGS)
        return theta + length * direction, SpringState(direction, length), report

    def metrics(self, optimizer_state: SpringState, iteration: int) -> dict[str, float]:
        return {"step_length": float(optimizer_state.length)}
