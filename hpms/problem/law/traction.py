"""Tractions on the boundary of an elastic body."""

from functools import reduce

import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.problem.conditions import AbstractFluxData


def hooke(moduli: Float[Array, "m 2"], slopes: tuple[Float[Array, "m l"], ...]) -> tuple[Float[Array, "m l"], ...]:
    """σ_ib = λ div w δ_ib + μ(∂_b w_i + ∂_i w_b) in column i of array b, from ∂_a w_i in column i of array a; of each
    of l/d vectors w, whose columns lie beside each other.
    """
    lam, mu = moduli[:, :1], moduli[:, 1:]
    each = [slope.reshape(len(slope), -1, len(slopes)) for slope in slopes]
    pressure = lam * reduce(jnp.add, (slope[..., a] for a, slope in enumerate(each)))
    found = []
    for b, slope in enumerate(each):
        columns = [mu * (slope[..., i] + other[..., b]) for i, other in enumerate(each)]
        columns[b] = columns[b] + pressure
        found.append(jnp.stack(columns, axis=-1).reshape(slopes[b].shape))
    return tuple(found)


class TractionData(AbstractFluxData):
    """What σ(v) n = t needs at M points: λ and μ (M, 2), n (M, d), and t (M, d), `on` (M, d) being 1 in the
    components that have a traction, else 0.
    """

    moduli: Float[Array, "*m 2"]
    normal: Float[Array, "*m d"]
    on: Float[Array, "*m d"]
    target: Float[Array, "*m d"]

    def density(self, jet: Jet) -> Float[Array, "m d"]:
        stress = hooke(self.moduli, jet.gradient)
        traction = reduce(jnp.add, (self.normal[:, b : b + 1] * each for b, each in enumerate(stress)))
        return self.on * (traction - self.target)
