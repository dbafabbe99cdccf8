"""Boundary values that the network does not have by itself."""

from typing import ClassVar

import equinox as eqx
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.problem.collocation import BOUNDARY, Collocation
from hpms.training.term.base import AbstractTerm


class BoundaryTerm(AbstractTerm):
    """J_bnd = |∂Ω|/M_∂Ω Σ v(x^b_i)², Eq. (3.24)."""

    places: Collocation
    measure: float = eqx.field(static=True)
    part: str = eqx.field(static=True, default=BOUNDARY)
    name: ClassVar[str] = "boundary"

    def density(self, jet: Jet, there: None) -> Float[Array, "b l"]:
        return jet.value
