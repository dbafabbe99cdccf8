"""L-BFGS, from Optax."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from hpms.errors import ConfigError
from hpms.machine.memory import GIGA, available
from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer, StepReport
from hpms.training.optimizer.tree import all_finite, select, settled


class Lbfgs(AbstractOptimizer):
    """Liu and Nocedal (1989) with `memory` pairs; the line search finds strong Wolfe points in `trials` evaluations.

    The line search is on Σ λ_k ‖r_k‖² with y to first order in K̃. Where it fails, Optax goes to a worse point, or
    nowhere, and says so only by the value that it keeps: such a step is reported as stalled.
    """

    memory: int = eqx.field(static=True)
    trials: int = eqx.field(static=True)
    stall: ClassVar[str] = "the line search finds no lower loss"

    def init(self, theta: Float[Array, " p"]) -> Any:
        return settled(self._transformation().init(theta), theta.dtype)

    def renew(self, theta: Float[Array, " p"], optimizer_state: Any) -> Any:
        return self.init(theta)  # differences of two losses' gradients are no curvature

    def step(
        self,
        theta: Float[Array, " p"],
        optimizer_state: Any,
        loss: Loss,
    ) -> tuple[Float[Array, " p"], Any, StepReport]:
        with jax.numpy_dtype_promotion("standard"):  # optax mixes integer counts with floats
            updates: Any
            value, gradient = optax.value_and_grad_from_state(loss.value)(theta, state=optimizer_state)
            updates, new = self._transformation().update(
                gradient, optimizer_state, theta, value=value, grad=gradient, value_fn=loss.value
            )
        new = settled(new, theta.dtype)
        moved, search = theta + updates.astype(theta.dtype), new[-1]
        stalled = jnp.isfinite(value) & ~((search.value < value) & jnp.any(moved != theta))
        finite = all_finite(value, gradient) & (stalled | all_finite(moved, search.grad))
        report = StepReport(loss.squares(loss.residuals(theta)), finite, stalled)
        return moved, select(stalled, optimizer_state, new), report

    def metrics(self, optimizer_state: Any, iteration: int) -> dict[str, float]:
        return {"step_length": float(optimizer_state[-1].learning_rate)}

    def _transformation(self) -> optax.GradientTransformationExtraArgs:
        search = optax.scale_by_zoom_linesearch(self.trials, initial_guess_strategy="one")
        return optax.lbfgs(memory_size=self.memory, linesearch=search)


def check_pairs(memory: int, parameters: int, itemsize: int = 4) -> None:
    """Raises `ConfigError` where so many pairs of steps and gradients do not fit into memory."""
    needed, there = 2.0 * itemsize * memory * parameters, available()
    if needed > there:
        allowed = f"its pairs need {needed / GIGA:,.3g} GB of memory, and {there / GIGA:.3g} GB are available"
        raise ConfigError("optimizer.memory", memory, allowed)
