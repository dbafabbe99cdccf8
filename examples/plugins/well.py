"""A source: q = s exp(-|x - c|²/(2r²)), a well at c that injects where s > 0."""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp

from hpms.config.registry import register
from hpms.config.schema import Positive
from hpms.errors import ConfigError
from hpms.options.source import SourceOptions
from hpms.problem.source.base import AbstractSource


class Well(AbstractSource):
    strength: float = eqx.field(static=True)
    centre: tuple[float, ...] = eqx.field(static=True)
    radius: float = eqx.field(static=True)

    def value(self, x):
        distance = x - jnp.asarray(self.centre, x.dtype)
        return self.strength * jnp.exp(-jnp.sum(distance**2) / (2 * self.radius**2))


@register("source", "well")
@dataclass(frozen=True)
class WellOptions(SourceOptions):
    strength: float
    centre: tuple[float, ...]
    radius: Positive

    def check(self, config):
        if len(self.centre) != config.problem.dim:
            raise ConfigError("source.centre", list(self.centre), f"give {config.problem.dim} coordinates")

    def build(self, dim, eps):
        return Well(self.strength, self.centre, self.radius)
