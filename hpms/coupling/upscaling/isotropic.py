"""One number: the paper's example."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.jet import Jet
from hpms.problem.lifted import Medium, flux


class Isotropic(AbstractUpscaling):
    """K̃ = κI in d = `dim` dimensions, κ = K̃₁₁ = mean over x^r of K(∂₁v + 1), Eqs. (4.10), (4.18)."""

    dim: int = eqx.field(static=True)

    @property
    def basis(self) -> Float[np.ndarray, "1 1 d d"]:
        return np.eye(self.dim)[None, None]

    @property
    def neutral(self) -> Float[np.ndarray, " 1"]:
        return np.ones(1)

    def moments(
        self, points: Float[Array, "b d"], jet: Jet, medium: Medium, mask: Float[Array, " b"]
    ) -> Float[Array, " 1"]:
        return jnp.sum(mask * flux(jet, medium))[None]

    def parameters(self, moments: Float[Array, " 1"]) -> Float[Array, " 1"]:
        return moments

    def tensors(self, kappa: Float[np.ndarray, " 1"]) -> Float[np.ndarray, "d d"]:
        return kappa[0] * np.eye(self.dim)
