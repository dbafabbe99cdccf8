"""Fluxes through the boundary."""

from typing import ClassVar

import equinox as eqx
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.problem.collocation import FLUX, Collocation
from hpms.problem.conditions import FluxData
from hpms.training.term.base import AbstractTerm


class FluxTerm(AbstractTerm):
    """|∂Ω|/M_∂Ω Σ (K∇w·n + a w - g)² over those x^b on faces with Neumann's (a = 0) or Robin's condition."""

    places: Collocation
    measure: float = eqx.field(static=True)
    part: str = eqx.field(static=True, default=FLUX)
    name: ClassVar[str] = "flux"

    def density(self, jet: Jet, there: FluxData) -> Float[Array, "b l"]:
        slope = sum(there.conormal[:, a : a + 1] * g for a, g in enumerate(jet.gradient))
        return slope + there.rate[:, None] * jet.value - there.target
