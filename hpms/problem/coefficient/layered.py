"""A laminate: two materials in alternating layers across one axis."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.problem.coefficient.base import AbstractCoefficient


class LayeredCoefficient(AbstractCoefficient):
    """K(x) = k₁ + (k₂ - k₁) s(sin(2π x_a/ε)), s(t) = (1 + tanh(t/η))/2: layers of width ε/2, smoothed over η.

    As η → 0 its homogenised tensor is the harmonic mean 2k₁k₂/(k₁+k₂) across the layers and (k₁+k₂)/2 along them.
    """

    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    smoothing: float = eqx.field(static=True)
    axis: int = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        indicator = 0.5 * (1 + jnp.tanh(jnp.sin(2 * jnp.pi * x[self.axis] / self.eps) / self.smoothing))
        return self.low + (self.high - self.low) * indicator

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        phase = 2 * jnp.pi * x[self.axis] / self.eps
        t = jnp.tanh(jnp.sin(phase) / self.smoothing)
        slope = 0.5 * (1 - t * t) * jnp.cos(phase) * 2 * jnp.pi / (self.eps * self.smoothing)
        return (self.high - self.low) * slope * jax.nn.one_hot(self.axis, x.shape[0], dtype=x.dtype)
