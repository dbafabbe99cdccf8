"""A checkerboard of two materials."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient


class CheckerboardCoefficient(AbstractCoefficient):
    """K(x) = √(k₁k₂) (k₂/k₁)^{s(x)/2}, s(x) = tanh(Π_a sin(2πx_a/ε)/η): squares of side ε/2, smoothed over η.

    Half a period further along an axis K is k₁k₂/K, so that in 2-D K* = √(k₁k₂) for every η (Keller, J. Math. Phys. 5,
    548, 1964; Dykhne, Sov. Phys. JETP 32, 63, 1971).
    """

    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    smoothing: float = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        s = jnp.tanh(jnp.prod(jnp.sin(2 * jnp.pi * x / self.eps)) / self.smoothing)
        return (self.low * self.high) ** 0.5 * jnp.exp(0.5 * jnp.log(self.high / self.low) * s)

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        return autodiff_gradient(self, x)
