"""What every coefficient offers."""

import abc

import equinox as eqx
import jax
from jaxtyping import Array, Float

from hpms.jet import Forms


class AbstractCoefficient(eqx.Module):
    """A fine-scale coefficient, Lipschitz continuous, Eqs. (4.1)-(4.2): a number K^ε(x) > 0, or a symmetric, positive
    definite tensor K^ε_ab(x) (d, d).

    Functions of one point; callers batch them. Periods are lengths in x, one per axis, or None where there are none.
    """

    periods: eqx.AbstractVar[tuple[float, ...] | None]

    @property
    def forms(self) -> Forms | None:
        """The ∂_a∂_b whose factor in K : ∇² is not 0 everywhere; None where K is a number."""
        return None

    @abc.abstractmethod
    def value(self, x: Float[Array, " d"]) -> Float[Array, ""] | Float[Array, "d d"]:
        """K^ε(x)."""

    @abc.abstractmethod
    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"] | Float[Array, "d d d"]:
        """∂_cK^ε(x), the axis c last; `autodiff_gradient(self, x)` where there is nothing better."""


def autodiff_gradient(
    coefficient: AbstractCoefficient, x: Float[Array, " d"]
) -> Float[Array, " d"] | Float[Array, "d d d"]:
    """∂_cK^ε(x) by automatic differentiation."""
    if coefficient.forms is None:
        return jax.grad(coefficient.value)(x)
    return jax.jacfwd(coefficient.value)(x)
