"""A laminate whose layers lie at an angle to the axes."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.problem.coefficient.base import AbstractCoefficient


class LayeredAngleCoefficient(AbstractCoefficient):
    """K(x) = k₁ + (k₂ - k₁) s(sin(2π x·n/ε)), s(t) = (1 + tanh(t/η))/2, with the unit normal n of the layers.

    `LayeredCoefficient` with x·n in place of x_a: its homogenised tensor is that one's, turned.
    """

    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    smoothing: float = eqx.field(static=True)
    normal: tuple[float, ...] = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return self.low + (self.high - self.low) * 0.5 * (1 + self._tanh(self._phase(x)))

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        phase = self._phase(x)
        slope = 0.5 * (1 - self._tanh(phase) ** 2) * jnp.cos(phase) * 2 * jnp.pi / (self.eps * self.smoothing)
        return (self.high - self.low) * slope * jnp.asarray(self.normal, dtype=x.dtype)

    def _phase(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return 2 * jnp.pi * jnp.dot(jnp.asarray(self.normal, dtype=x.dtype), x) / self.eps

    def _tanh(self, phase: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.tanh(jnp.sin(phase) / self.smoothing)
