"""A term of the loss: |∂Ω|/M Σ 2δ(√(v² + δ²) - δ) over points of ∂Ω, about v² where |v| < δ and 2δ|v| elsewhere."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp

from hpms.config.registry import register
from hpms.config.schema import NonNegative, Positive
from hpms.options.boundary import BoundaryOptions
from hpms.problem.collocation import BOUNDARY, Collocation
from hpms.training.term.base import AbstractTerm


class HuberTerm(AbstractTerm):
    places: Collocation
    measure: float = eqx.field(static=True)
    delta: float = eqx.field(static=True)
    part: str = eqx.field(static=True, default=BOUNDARY)
    name: ClassVar[str] = "huber"

    def density(self, jet, there):
        """ρ, whose square is 2δ(√(v² + δ²) - δ)."""
        v = jet.value
        return v * jnp.sqrt(2 * self.delta / (jnp.sqrt(v**2 + self.delta**2) + self.delta))


@register("boundary", "huber")
@dataclass(frozen=True)
class HuberOptions(BoundaryOptions):
    tau1: NonNegative
    delta: Positive
    hard: ClassVar[bool] = False

    def wrap(self, network, walls=None):
        return network

    def terms(self, places, domain):
        return (HuberTerm(places=places[BOUNDARY], measure=domain.surface, delta=self.delta),)
