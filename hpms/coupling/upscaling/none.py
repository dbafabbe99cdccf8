"""No upscaled coefficient, for problems that have none and runs without a coupling."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.coupling.upscaling.base import AbstractWhole
from hpms.jet import Jet
from hpms.problem.law.base import AbstractMedium


class NoUpscaling(AbstractWhole):
    """κ in R^0."""

    dim: int = eqx.field(static=True)

    @property
    def lifts(self) -> int:
        return 1

    @property
    def basis(self) -> Float[np.ndarray, "0 1 d d"]:
        return np.zeros((0, 1, self.dim, self.dim))

    @property
    def neutral(self) -> Float[np.ndarray, " 0"]:
        return np.zeros(0)

    def densities(self, jet: Jet, medium: AbstractMedium) -> Float[Array, "b 0"]:
        return jnp.zeros((jet.value.shape[0], 0), jet.value.dtype)

    def parameters(self, moments: Float[Array, " 0"]) -> Float[Array, " 0"]:
        return moments
