"""A force per volume given by formulas."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.formula import Formula
from hpms.problem.functions import evaluate_field
from hpms.problem.source.base import AbstractSource


class ForceSource(AbstractSource):
    """q(x) in R^d, a formula in x1, x2, x3, eps and named constants for each component."""

    formulas: tuple[Formula, ...] = eqx.field(static=True)
    eps: float = eqx.field(static=True)
    constants: tuple[tuple[str, float], ...] = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, " d"]:
        return jnp.stack([evaluate_field(each, x, self.eps, dict(self.constants)) for each in self.formulas])
