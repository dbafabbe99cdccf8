"""How v = 0 on ∂Ω is imposed: exactly, by a wrapper, or softly, by a term of the loss."""

import equinox as eqx
from jaxtyping import Array, Float

from hpms.jet import Forms, Jet, multiply
from hpms.network.base import AbstractNetwork, jet_of
from hpms.problem.unit_cube import vanishing
from hpms.problem.walls import AbstractWalls


class HardBoundary(AbstractNetwork):
    """l(x) v(x) with l(x) = Π_i 4x_i(1 - x_i), which vanishes on ∂Ω (Section 4.4), or an l that vanishes on `walls`."""

    network: AbstractNetwork
    walls: AbstractWalls | None = eqx.field(static=True, default=None)

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        factor = vanishing(x, forms) if self.walls is None else self.walls.vanishing(x, forms)
        return multiply(factor, jet_of(self.network, x, forms))
