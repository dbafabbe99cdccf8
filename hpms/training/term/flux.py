"""Fluxes through the boundary."""

from typing import ClassVar

import equinox as eqx
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.problem.collocation import FLUX, Collocation
from hpms.problem.conditions import AbstractFluxData
from hpms.training.term.base import AbstractTerm


class FluxTerm(AbstractTerm):
    """|∂Ω|/M_∂Ω Σ (K∇w·n + a w - g)² over those x^b on faces with Neumann's (a = 0) or Robin's condition; in
    elasticity |∂Ω|/M_∂Ω Σ |σ(w)n - t|² over components with a traction.
    """

    places: Collocation
    measure: float = eqx.field(static=True)
    part: str = eqx.field(static=True, default=FLUX)
    name: ClassVar[str] = "flux"

    def density(self, jet: Jet, there: AbstractFluxData) -> Float[Array, "b l"]:
        return there.density(jet)
