"""Channels in a lognormal random field."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.coefficient.lognormal import LognormalCoefficient, lognormal


class ChannelsCoefficient(AbstractCoefficient):
    """K(x) = K₀(x) c^{B(x)}, B = exp(-(G(Sx)/b)²), with the lognormal `background` K₀ and the log of a second such
    field, `level` = exp(G): the channels lie about the lines G = 0 and have c times the permeability.

    S divides x₁ by the `stretch`: the channels run along x₁.
    """

    background: LognormalCoefficient
    level: LognormalCoefficient
    contrast: float = eqx.field(static=True)
    width: float = eqx.field(static=True)
    stretch: float = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return self.background.value(x) * self.contrast ** self._bump(x)[0]

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        bump, slope = self._bump(x)
        share = self.contrast**bump
        of_bump = jnp.log(jnp.asarray(self.contrast, x.dtype)) * slope
        return share * (self.background.gradient(x) + self.background.value(x) * of_bump)

    def _bump(self, x: Float[Array, " d"]) -> tuple[Float[Array, ""], Float[Array, " d"]]:
        """B and ∇B."""
        scales = jnp.ones_like(x).at[0].set(1 / self.stretch)
        there = self.level.value(scales * x)
        g = jnp.log(there)
        bump = jnp.exp(-((g / self.width) ** 2))
        return bump, -2 * g / self.width**2 * bump * scales * self.level.gradient(scales * x) / there


def channels(
    dim: int,
    *,
    geometric_mean: float,
    variance: float,
    correlation: float,
    contrast: float,
    width: float,
    stretch: float,
    modes: int,
    seed: int,
) -> ChannelsCoefficient:
    """The field of a seed: `variance` and `correlation` of log K₀, and the channels' c, b and S; both fields have that
    correlation length and so many `modes`.
    """
    background = lognormal(dim, geometric_mean, variance, correlation, modes, seed)
    level = lognormal(dim, 1.0, 1.0, correlation, modes, seed + 2**31)
    return ChannelsCoefficient(
        background=background, level=level, contrast=contrast, width=width, stretch=stretch, periods=None
    )
