"""A network: W₂ tanh(W₁ sin(Bx + φ) + b₁) + b₂, where B and φ are random and not trained."""

import math
from dataclasses import dataclass
from typing import ClassVar

import jax

from hpms.config.registry import register
from hpms.config.schema import Count, Positive
from hpms.jet import activate, affine
from hpms.network.activation import ACTIVATIONS
from hpms.network.base import AbstractNetwork, Fixed
from hpms.network.layers import Layer, layers, propagate
from hpms.options.network import NetworkOptions


class Sines(AbstractNetwork):
    frequency: Fixed
    phase: Fixed
    layers: tuple[Layer, ...]

    def jet(self, x, forms=None):
        angle = affine(x, self.frequency.array, self.phase.array, forms)
        return propagate(activate(angle, ACTIVATIONS["sine"]), self.layers, ACTIVATIONS["tanh"])


@register("network", "sines")
@dataclass(frozen=True)
class SinesOptions(NetworkOptions):
    features: Count
    width: Count
    band: Positive  # the standard deviation of the entries of B, which are normal
    learning_rate: ClassVar[float | None] = 1e-3

    def build(self, key, scales, dtype):
        first, second, third = jax.random.split(key, 3)
        frequency = self.band * jax.random.normal(first, (scales.dim, self.features), dtype)
        phase = jax.random.uniform(second, (self.features,), dtype, maxval=2 * math.pi)
        return Sines(Fixed(frequency), Fixed(phase), layers(third, [self.features, self.width, scales.outputs], dtype))
