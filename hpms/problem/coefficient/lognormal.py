"""A lognormal random field."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.problem.coefficient.base import AbstractCoefficient


class LognormalCoefficient(AbstractCoefficient):
    """K(x) = k_g exp(σ G(x)), G(x) = N^{-1/2} Σ_n (a_n cos(k_n·x) + b_n sin(k_n·x)), with a_n, b_n ~ N(0, 1)
    and k_n ~ N(0, I/λ²).

    The randomisation method (Heße et al., Environ. Model. Softw. 55, 32, 2014) for the covariance exp(-|r|²/(2λ²)) of
    G: a smooth function of variance 1 whose finitely many modes are exact in value and gradient.
    """

    geometric_mean: float = eqx.field(static=True)
    deviation: float = eqx.field(static=True)
    waves: Float[Array, "n d"]
    amplitudes: Float[Array, "2 n"]
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        cosine, sine = self.amplitudes.astype(x.dtype)
        phase = self.waves.astype(x.dtype) @ x
        field = (cosine @ jnp.cos(phase) + sine @ jnp.sin(phase)) / len(phase) ** 0.5
        return self.geometric_mean * jnp.exp(self.deviation * field)

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        cosine, sine = self.amplitudes.astype(x.dtype)
        waves = self.waves.astype(x.dtype)
        phase = waves @ x
        slope = (sine * jnp.cos(phase) - cosine * jnp.sin(phase)) @ waves / len(phase) ** 0.5
        return self.value(x) * self.deviation * slope


def lognormal(
    dim: int, geometric_mean: float, variance: float, correlation: float, modes: int, seed: int
) -> LognormalCoefficient:
    """The field of a seed, with the variance of log K and the correlation length λ."""
    generator = np.random.default_rng(seed)
    amplitudes, waves = generator.standard_normal((2, modes)), generator.standard_normal((modes, dim)) / correlation
    return LognormalCoefficient(
        geometric_mean=geometric_mean,
        deviation=variance**0.5,
        waves=jnp.asarray(waves),
        amplitudes=jnp.asarray(amplitudes),
        periods=None,
    )
