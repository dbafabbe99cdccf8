"""A tensor given by formulas."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.formula import Formula
from hpms.jet import Forms, entry
from hpms.problem.coefficient.base import AbstractCoefficient, autodiff_gradient
from hpms.problem.functions import evaluate_field


class TensorCoefficient(AbstractCoefficient):
    """K^ε_ij(x) = K^ε_ji(x) by a formula in x1, x2, x3, eps and named constants for each (i, j), i <= j, else 0."""

    entries: tuple[tuple[tuple[int, int], Formula], ...] = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    constants: tuple[tuple[str, float], ...] = eqx.field(static=True)
    periods: tuple[float, ...] | None = eqx.field(static=True)

    @property
    def forms(self) -> Forms:
        return tuple(entry(i, j) for (i, j), _ in self.entries)

    def value(self, x: Float[Array, " d"]) -> Float[Array, "d d"]:
        found = jnp.zeros((x.shape[0],) * 2, x.dtype)
        for (i, j), formula in self.entries:
            number = evaluate_field(formula, x, self.eps, dict(self.constants))
            found = found.at[i, j].set(number).at[j, i].set(number)
        return found

    def gradient(self, x: Float[Array, " d"]) -> Float[Array, "d d d"]:
        return autodiff_gradient(self, x)

    @property
    def rough(self) -> list[str]:
        """What in the formulas may jump or have a kink."""
        return list(dict.fromkeys(k for _, formula in self.entries for k in formula.kinks(["x1", "x2", "x3"])))
