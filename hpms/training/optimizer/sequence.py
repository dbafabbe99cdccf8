"""One optimizer after another."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from hpms.training.loss import Loss
from hpms.training.optimizer.base import AbstractOptimizer, StepReport


class SequenceState(eqx.Module):
    """The number of steps done, and both optimizers' states."""

    count: Int[Array, ""]
    first: Any
    second: Any


class Sequence(AbstractOptimizer):
    """`first` for `switch` steps, `second` from there on."""

    first: AbstractOptimizer
    second: AbstractOptimizer
    switch: int = eqx.field(static=True)

    @property
    def stall(self) -> str:
        return self.second.stall

    def init(self, theta: Float[Array, " p"]) -> SequenceState:
        return SequenceState(jnp.zeros((), jnp.int32), self.first.init(theta), self.second.init(theta))

    def renew(self, theta: Float[Array, " p"], optimizer_state: SequenceState) -> SequenceState:
        first = self.first.renew(theta, optimizer_state.first)
        return SequenceState(optimizer_state.count, first, self.second.renew(theta, optimizer_state.second))

    def step(
        self,
        theta: Float[Array, " p"],
        optimizer_state: SequenceState,
        loss: Loss,
    ) -> tuple[Float[Array, " p"], SequenceState, StepReport]:
        state = optimizer_state

        def first() -> tuple[Array, SequenceState, StepReport]:
            moved, new, report = self.first.step(theta, state.first, loss)
            return moved, SequenceState(state.count + 1, new, state.second), report

        def second() -> tuple[Array, SequenceState, StepReport]:
            moved, new, report = self.second.step(theta, state.second, loss)
            return moved, SequenceState(state.count + 1, state.first, new), report

        return jax.lax.cond(state.count < self.switch, first, second)

    def metrics(self, optimizer_state: SequenceState, iteration: int) -> dict[str, float]:
        first = self.first.metrics(optimizer_state.first, iteration)
        if optimizer_state.count >= self.switch:
            first = dict.fromkeys(first, 0.0)
        return first | self.second.metrics(optimizer_state.second, iteration)
