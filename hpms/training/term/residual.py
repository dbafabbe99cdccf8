"""The residual of the equation."""

from typing import ClassVar

import equinox as eqx
from jaxtyping import Array, Float

from hpms.jet import Forms, Jet
from hpms.problem.collocation import INTERIOR, Collocation
from hpms.problem.law.base import AbstractMedium
from hpms.training.term.base import AbstractTerm

RESIDUAL = "residual"


class ResidualTerm(AbstractTerm):
    """J_res = |Ω|/M_Ω Σ w_i (A^ε v - f^ε)(x^r_i)², Eq. (3.24).

    Its smallest value in the log chooses the iteration that is told of. The means that κ is made of, and where a
    coupling has them those of v, are taken at its points.
    """

    places: Collocation
    measure: float = eqx.field(static=True)
    of_law: Forms | None = eqx.field(static=True, default=None)
    part: str = eqx.field(static=True, default=INTERIOR)
    name: ClassVar[str] = RESIDUAL

    @property
    def forms(self) -> Forms | None:
        return self.of_law

    def density(self, jet: Jet, there: AbstractMedium) -> Float[Array, "b l"]:
        return there.residual(jet)
