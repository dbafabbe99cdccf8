"""How v = 0 on ∂Ω is imposed: exactly, by a wrapper, or softly, by a term of the loss."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Jet, multiply
from hpms.network.base import AbstractNetwork


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
