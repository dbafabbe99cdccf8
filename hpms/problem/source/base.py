"""What every source offers."""

import abc

import equinox as eqx
from jaxtyping import Array, Float


class AbstractSource(eqx.Module):
    """The source q(x) of -∇·(K^ε∇w_i) = q, Eq. (4.6); a function of one point. It is not the right-hand side of the
    lifted u_i = w_i - x_i, which is f_i = q + ∂_iK^ε, Eq. (4.8).
    """

    @abc.abstractmethod
    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """q(x)."""
