"""Lamé's moduli as functions of x."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.formula import Formula
from hpms.problem.coefficient.base import AbstractCoefficient
from hpms.problem.functions import evaluate_field


class LameCoefficient(AbstractCoefficient):
    """λ(x) and μ(x), one behind the other, by formulas in x1, x2, x3, eps and named constants."""

    lam: Formula = eqx.field(static=True)
    mu: Formula = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    constants: tuple[tuple[str, float], ...] = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, "2"]:
        known = dict(self.constants)
        return jnp.stack([evaluate_field(formula, x, self.eps, known) for formula in (self.lam, self.mu)])

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, "2 d"]:
        return jax.jacfwd(self.value)(x)

    @property
    def rough(self) -> list[str]:
        """What in the formulas may jump or have a kink."""
        return list(dict.fromkeys(k for each in (self.lam, self.mu) for k in each.kinks(["x1", "x2", "x3"])))


class StiffnessEigenvalues(AbstractCoefficient):
    """2μ and dλ + 2μ, the eigenvalues of the stiffness, on the diagonal of a tensor (d, d)."""

    moduli: AbstractCoefficient
    periods: tuple[float, ...] | None = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, "d d"]:
        lam, mu = self.moduli.value(x)
        dim = x.shape[0]
        return jnp.diag(jnp.concatenate([(dim * lam + 2 * mu)[None], jnp.full(dim - 1, 2 * mu)]))

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, "d d d"]:
        return jax.jacfwd(self.value)(x)

    @property
    def rough(self) -> list[str]:
        """What in the formulas may jump or have a kink."""
        return getattr(self.moduli, "rough", [])
