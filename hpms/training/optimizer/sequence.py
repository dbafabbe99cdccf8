"""One optimizer after another."""

from dataclasses import dataclass
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from hpms.coupling.base import AbstractCouplingState
from hpms.network.base import Parametrised
from hpms.registry import register
from hpms.schema import Count, Fraction, Positive
from hpms.training.objective import Objective
from hpms.training.optimizer.adam import Adam
from hpms.training.optimizer.base import AbstractOptimizer, StepReport
from hpms.training.optimizer.lbfgs import LbfgsOptions, check_fixed_points


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
        objective: Objective,
        weights: Float[Array, " k"],
        coupling_state: AbstractCouplingState | None,
    ) -> tuple[Float[Array, " p"], SequenceState, StepReport]:
        state, arguments = optimizer_state, (objective, weights, coupling_state)

        def first() -> tuple[Array, SequenceState, StepReport]:
            moved, new, report = self.first.step(theta, state.first, *arguments)
            return moved, SequenceState(state.count + 1, new, state.second), report

        def second() -> tuple[Array, SequenceState, StepReport]:
            moved, new, report = self.second.step(theta, state.second, *arguments)
            return moved, SequenceState(state.count + 1, state.first, new), report

        return jax.lax.cond(state.count < self.switch, first, second)

    def metrics(self, optimizer_state: SequenceState, iteration: int) -> dict[str, float]:
        first = self.first.metrics(optimizer_state.first, iteration)
        if optimizer_state.count >= self.switch:
            first = dict.fromkeys(first, 0.0)
        return first | self.second.metrics(optimizer_state.second, iteration)


@register("optimizer", "adam_then_lbfgs")
@dataclass(frozen=True)
class AdamThenLbfgs:
    """`optimizer=adam_then_lbfgs`: `switch` steps of Adam, then L-BFGS, with the keys of both."""

    switch: Count
    learning_rate: Positive | None
    decay_rate: Fraction
    decay_steps: Count
    memory: Count
    trials: Count
    least_squares: ClassVar[bool] = False

    def check(self, config: Any) -> None:
        check_fixed_points(config)

    def build(self, model: Parametrised) -> Sequence:
        adam = Adam(self.learning_rate, self.decay_rate, self.decay_steps)
        return Sequence(adam.build(model), self._lbfgs().build(model), self.switch)

    def _lbfgs(self) -> LbfgsOptions:
        return LbfgsOptions(self.memory, self.trials)
