"""An optimizer: θ - η sign(β₁m + (1 - β₁)g), m ← β₂m + (1 - β₂)g: Lion, Chen et al. (2023), for the gradient g."""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp

from hpms.config.registry import register
from hpms.config.schema import Fraction, Positive
from hpms.options.optimizer import OptimizerOptions
from hpms.training.optimizer.base import AbstractOptimizer, StepReport
from hpms.training.optimizer.tree import all_finite


class Lion(AbstractOptimizer):
    rate: float = eqx.field(static=True)
    b1: float = eqx.field(static=True)
    b2: float = eqx.field(static=True)

    def init(self, theta):
        return jnp.zeros_like(theta)

    def step(self, theta, optimizer_state, loss):
        gradient, terms = loss.gradient(theta)
        change = self.rate * jnp.sign(self.b1 * optimizer_state + (1 - self.b1) * gradient)
        mean = self.b2 * optimizer_state + (1 - self.b2) * gradient
        return theta - change, mean, StepReport(terms, all_finite(terms, gradient), jnp.array(False))

    def metrics(self, optimizer_state, iteration):
        return {"learning_rate": self.rate}


@register("optimizer", "lion")
@dataclass(frozen=True)
class LionOptions(OptimizerOptions):
    learning_rate: Positive
    b1: Fraction
    b2: Fraction

    def build(self, model):
        return Lion(self.learning_rate, self.b1, self.b2)
