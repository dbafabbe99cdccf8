"""A reaction s(x, w)."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.formula import Formula
from hpms.problem.functions import evaluate_field
from hpms.problem.source.base import AbstractSource


class Reaction(eqx.Module):
    """s by a formula in x1, x2, x3, w and eps."""

    formula: Formula = eqx.field(static=True)
    eps: float = eqx.field(static=True)

    def value(self, x: Float[Array, " d"], w: Float[Array, ""]) -> Float[Array, ""]:
        """s(x, w)."""
        return evaluate_field(self.formula, x, self.eps, {"w": w})

    def at(self, points: Float[Array, "m d"], w: Float[Array, "m l"]) -> Float[Array, "m l"]:
        """s at M points, of each of the w there."""
        return jax.vmap(jax.vmap(self.value, (None, 0)))(points, w)


class Linearised(AbstractSource):
    """s and ∂s/∂w, at a point with w behind its coordinates."""

    reaction: Reaction

    def value(self, x: Float[Array, " n"]) -> Float[Array, " 2"]:
        return jnp.stack(jax.value_and_grad(self.reaction.value, argnums=1)(x[:-1], x[-1]))


class AtValue(AbstractSource):
    """s of one w."""

    reaction: Reaction
    w: float = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return self.reaction.value(x, jnp.asarray(self.w))
