"""Adam with the paper's schedule."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer, StepReport
from hpms.training.optimizer.decay import ExponentialDecay
from hpms.training.optimizer.tree import all_finite


class AdamOptimizer(AbstractOptimizer):
    """Adam, Kingma and Ba (2015), on the full batch with β = (0.9, 0.999) and an exponentially decaying rate."""

    rate: ExponentialDecay = eqx.field(static=True)

    def init(self, theta: Float[Array, " p"]) -> Any:
        return self._transformation().init(theta)

    def step(
        self,
        theta: Float[Array, " p"],
        optimizer_state: Any,
        loss: Loss,
    ) -> tuple[Float[Array, " p"], Any, StepReport]:
        gradient, terms = loss.gradient(theta)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes integer counts with floats
            updates: Any
            updates, optimizer_state = self._transformation().update(gradient, optimizer_state, theta)
        finite = all_finite(terms, gradient, optimizer_state)
        return theta + updates, optimizer_state, StepReport(terms, finite, jnp.array(False))

    def metrics(self, optimizer_state: Any, iteration: int) -> dict[str, float]:
        return {"learning_rate": self.rate(iteration)}

    def _transformation(self) -> optax.GradientTransformation:
        def schedule(count: Any) -> Any:
            return self.rate(count.astype(float))

        return optax.adam(schedule, b1=0.9, b2=0.999)
