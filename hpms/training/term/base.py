"""What every sum over points offers to the loss."""

import abc
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from hpms.jet import Forms, Jet
from hpms.problem.collocation import Collocation


class AbstractTerm(eqx.Module):
    """‖r(θ)‖² = |S|/M Σ_i w_i |ρ(x_i)|², over M points x_i of a set S, Ω or ∂Ω, with weights w_i, 0 off that part of ∂Ω
    which the term is about.

    `name` is that of the logs, `part` that of the set among those of the collocation, `measure` is |S|.
    """

    name: ClassVar[str]
    places: eqx.AbstractVar[Collocation]
    part: eqx.AbstractVar[str]
    measure: eqx.AbstractVar[float]

    @property
    def forms(self) -> Forms | None:
        """The second derivatives that ρ needs, None for the Laplacian or none at all."""
        return None

    @abc.abstractmethod
    def density(self, jet: Jet, there: Any) -> Float[Array, "b l"]:
        """ρ at B points, from the jet of v and the data there, one column for each lifted problem."""

    @property
    def scale(self) -> float:
        """√(|S|/M)."""
        return (self.measure / self.places.count) ** 0.5

    def rows(self, jet: Jet, there: Any, weights: Float[Array, " b"]) -> Float[Array, "b l"]:
        """r at B points, 0 at the padding."""
        return self.scale * jnp.sqrt(weights)[:, None] * self.density(jet, there)
