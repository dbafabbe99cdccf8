"""A laminate: two materials in alternating layers."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.problem.coefficient.base import AbstractCoefficient


class LayeredCoefficient(AbstractCoefficient):
    """K(x) = k₁ + (k₂ - k₁) s(sin(2π x·n/ε)), s(t) = (1 + tanh(t/η))/2: layers of width ε/2 with the unit normal n,
    smoothed over η.

    As η → 0 its homogenised tensor is the harmonic mean 2k₁k₂/(k₁+k₂) across the layers and (k₁+k₂)/2 along them.
    """

    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    smoothing: float = eqx.field(static=True)
    normal: tuple[float, ...] = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return self.low + (self.high - self.low) * (0.5 * (1 + self._tanh(self._phase(x))))

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        phase = self._phase(x)
        t = self._tanh(phase)
        slope = 0.5 * (1 - t * t) * jnp.cos(phase) * 2 * jnp.pi / (self.eps * self.smoothing)
        return (self.high - self.low) * slope * jnp.asarray(self.normal, dtype=x.dtype)

    def _phase(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return 2 * jnp.pi * jnp.dot(jnp.asarray(self.normal, dtype=x.dtype), x) / self.eps

    def _tanh(self, phase: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.tanh(jnp.sin(phase) / self.smoothing)
