"""What every coefficient offers."""

import abc

import equinox as eqx
import jax
from jaxtyping import Array, Float


class AbstractCoefficient(eqx.Module):
    """An isotropic fine-scale coefficient K^ε(x) > 0, Lipschitz continuous, Eqs. (4.1)-(4.2).

    Functions of one point; callers batch them. Periods are lengths in x, one per axis, or None where there are none.
    """

    periods: eqx.AbstractVar[tuple[float, ...] | None]

    @abc.abstractmethod
    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """K^ε(x)."""

    @abc.abstractmethod
    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        """∇K^ε(x); `autodiff_gradient(self, x)` where there is nothing better."""


def autodiff_gradient(coefficient: AbstractCoefficient, x: Float[Array, " d"]) -> Float[Array, " d"]:
    """∇K^ε(x) by automatic differentiation."""
    return jax.grad(coefficient.value)(x)
