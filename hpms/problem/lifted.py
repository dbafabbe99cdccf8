"""The lifted fine-scale problem and its pointwise residual."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.source.base import AbstractSource
from hpms.problem.unit_cube import UnitCube

_CHUNK = 20_000


class Medium(eqx.Module):
    """What the residual needs at M points: K (M,), ∇K (M, d) and f^ε = q + ∂₁K (M,)."""

    coefficient: Float[Array, "*m"]
    gradient: Float[Array, "*m d"]
    forcing: Float[Array, "*m"]


class LiftedProblem(eqx.Module):
    """With w = u + x₁: A^ε u = -∇·(K^ε ∇u) = f^ε = q + ∂₁K^ε in Ω, u = 0 on ∂Ω, Eq. (4.11)."""

    domain: UnitCube = eqx.field(static=True)
    coefficient: AbstractCoefficient
    source: AbstractSource

    def medium(self, points: Float[Array, "m d"]) -> Medium:
        """K, ∇K and f^ε at the points, in float64."""
        points = jnp.asarray(points, dtype=jnp.float64)
        value = jax.vmap(self.coefficient.value)(points)
        gradient = jax.vmap(self.coefficient.gradient)(points)
        return Medium(value, gradient, jax.vmap(self.source.value)(points) + gradient[:, 0])

    def coefficient_at(self) -> Callable[[np.ndarray], np.ndarray]:
        """K as a NumPy function of points (M, d), for the finite element side."""
        return _on_host(self.coefficient, self.domain.dim)

    def source_at(self) -> Callable[[np.ndarray], np.ndarray]:
        """q as a NumPy function of points (M, d), for the finite element side."""
        return _on_host(self.source, self.domain.dim)


def _on_host(field: AbstractCoefficient | AbstractSource, dim: int) -> Callable[[np.ndarray], np.ndarray]:
    """Batches the value at one point, in chunks of one length, for which it is compiled once and here."""
    _values(field, jnp.zeros((_CHUNK, dim))).block_until_ready()

    def evaluate(points: np.ndarray) -> np.ndarray:
        values = np.empty(len(points))
        for start in range(0, len(points), _CHUNK):
            chunk = points[start : start + _CHUNK]
            padded = np.concatenate([chunk, np.repeat(chunk[-1:], _CHUNK - len(chunk), axis=0)])
            values[start : start + _CHUNK] = np.asarray(_values(field, jnp.asarray(padded)))[: len(chunk)]
        return values

    return evaluate


@eqx.filter_jit
def _values(field: AbstractCoefficient | AbstractSource, points: Float[Array, "m d"]) -> Float[Array, " m"]:
    return jax.vmap(field.value)(points)


def operator(jet: Jet, medium: Medium) -> Float[Array, " m"]:
    """A^ε v = -(K Δv + ∇K·∇v) of a scalar v at M points."""
    advection = sum(medium.gradient[:, i] * g[:, 0] for i, g in enumerate(jet.gradient))
    return -(medium.coefficient * jet.laplacian[:, 0] + advection)


def residual(jet: Jet, medium: Medium) -> Float[Array, " m"]:
    """A^ε v - f^ε at M points, Eq. (3.24)."""
    return operator(jet, medium) - medium.forcing


def flux(jet: Jet, medium: Medium) -> Float[Array, " m"]:
    """K(∂₁v + 1), the first component of the flux of w = v + x₁, whose mean is K̃₁₁, Eq. (4.10)."""
    return medium.coefficient * (jet.gradient[0][:, 0] + 1)
