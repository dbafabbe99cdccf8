"""What every optimizer offers."""

import abc
from typing import Any, ClassVar

import equinox as eqx
from jaxtyping import Array, Bool, Float

from hpms.training.loss import Loss


class StepReport(eqx.Module):
    """The unweighted terms at the point where the step was taken, whether all that was computed is finite, and whether
    no acceptable step was found.
    """

    terms: Float[Array, " k"]
    finite: Bool[Array, ""]
    stalled: Bool[Array, ""]


class AbstractOptimizer(eqx.Module):
    """An iteration θ -> θ on a loss Σ λ_k ‖r_k‖². Its state is a pytree of arrays; all of it is checkpointed.

    `stall` says in words what it means that a step is reported as stalled.
    """

    stall: ClassVar[str] = "the optimizer finds no acceptable step"

    @abc.abstractmethod
    def init(self, theta: Float[Array, " p"]) -> Any:
        """The state before the first step."""

    def renew(self, theta: Float[Array, " p"], optimizer_state: Any) -> Any:
        """The state after the weights or the coarse state have changed."""
        return optimizer_state

    @abc.abstractmethod
    def step(
        self,
        theta: Float[Array, " p"],
        optimizer_state: Any,
        loss: Loss,
    ) -> tuple[Float[Array, " p"], Any, StepReport]:
        """One step, traced by JAX; where the report is not finite or stalled, its result is thrown away."""

    @abc.abstractmethod
    def metrics(self, optimizer_state: Any, iteration: int) -> dict[str, float]:
        """What the log shows of the optimizer at an iteration, always under the same names."""
