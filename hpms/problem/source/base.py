"""What every source offers."""

import abc

import equinox as eqx
from jaxtyping import Array, Float


class AbstractSource(eqx.Module):
    """The source q(x) of the fine-scale problem, Eq. (4.8); a function of one point."""

    @abc.abstractmethod
    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """q(x)."""
