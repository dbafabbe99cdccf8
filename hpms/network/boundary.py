"""How v = 0 on ∂Ω is imposed: exactly, by a wrapper, or softly, by a term of the loss."""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Jet, multiply
from hpms.network.base import AbstractNetwork
from hpms.registry import register
from hpms.schema import NonNegative


class HardBoundary(AbstractNetwork):
    """l(x) v(x) with l(x) = Π_i 4x_i(1 - x_i), which vanishes on ∂Ω (Section 4.4)."""

    network: AbstractNetwork

    def jet(self, x: Float[Array, "m d"]) -> Jet:
        return multiply(distance(x), self.network.jet(x))


def distance(x: Float[Array, "m d"]) -> Jet:
    """The jet of l(x) = Π_i 4x_i(1 - x_i), shape (M, 1)."""
    dim = x.shape[1]
    factors = []
    for i in range(dim):
        xi = x[:, i : i + 1]
        zero = jnp.zeros_like(xi)
        gradient = tuple(4 - 8 * xi if j == i else zero for j in range(dim))
        factors.append(Jet(4 * xi * (1 - xi), gradient, jnp.full_like(xi, -8.0)))
    product = factors[0]
    for factor in factors[1:]:
        product = multiply(product, factor)
    return product


@register("boundary", "hard")
@dataclass(frozen=True)
class Hard:
    """`boundary=hard`: the network vanishes on ∂Ω, multiplied by l(x) if it has no way of its own; no boundary term."""

    tau1: ClassVar[float] = 0.0
    hard: ClassVar[bool] = True

    def wrap(self, network: AbstractNetwork) -> AbstractNetwork:
        return network.vanishing() or HardBoundary(network)


@register("boundary", "soft")
@dataclass(frozen=True)
class Soft:
    """`boundary=soft`: τ₁ |∂Ω|/M_∂Ω Σ v(x^b_i)² is added to the loss, Eq. (3.24); `tau1` = τ₁."""

    tau1: NonNegative
    hard: ClassVar[bool] = False

    def wrap(self, network: AbstractNetwork) -> AbstractNetwork:
        return network
