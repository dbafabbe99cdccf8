"""How v = 0 on ∂Ω is imposed: exactly, by a wrapper, or softly, by a term of the loss."""

from jaxtyping import Array, Float

from hpms.jet import Jet, multiply
from hpms.network.base import AbstractNetwork
from hpms.problem.unit_cube import vanishing


class HardBoundary(AbstractNetwork):
    """l(x) v(x) with l(x) = Π_i 4x_i(1 - x_i), which vanishes on ∂Ω (Section 4.4)."""

    network: AbstractNetwork

    def jet(self, x: Float[Array, "m d"]) -> Jet:
        return multiply(vanishing(x), self.network.jet(x))
