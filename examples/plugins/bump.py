"""A coefficient: K = 1 + h exp(-|x - m|²), m the middle of the unit cube."""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp

from hpms.config.registry import register
from hpms.config.schema import Positive
from hpms.options.coefficient import CoefficientOptions
from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient


class Bump(AbstractCoefficient):
    height: float = eqx.field(static=True)
    periods: None = eqx.field(static=True, default=None)

    def value(self, x):
        return 1 + self.height * jnp.exp(-jnp.sum((x - 0.5) ** 2))

    def gradient(self, x):
        return autodiff_gradient(self, x)


@register("coefficient", "bump")
@dataclass(frozen=True)
class BumpOptions(CoefficientOptions):
    height: Positive

    def build(self, dim, eps):
        return Bump(height=self.height)
