"""One number: the paper's example."""

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from hpms.coupling.upscaling.base import AbstractWhole
from hpms.jet import Jet
from hpms.problem.law.base import AbstractMedium
from hpms.problem.lifted import strains


class Isotropic(AbstractWhole):
    """K̃ = κI in d = `dim` dimensions, κ = K̃₁₁ = mean over x^r of (K∇w₁)₁, Eqs. (4.10), (4.18)."""

    dim: int = eqx.field(static=True)

    @property
    def lifts(self) -> int:
        return 1

    @property
    def basis(self) -> Float[np.ndarray, "1 1 d d"]:
        return np.eye(self.dim)[None, None]

    @property
    def neutral(self) -> Float[np.ndarray, " 1"]:
        return np.ones(1)

    def densities(self, jet: Jet, medium: AbstractMedium) -> Float[Array, "b 1"]:
        return medium.stress(strains(jet))[0]

    def parameters(self, moments: Float[Array, " 1"]) -> Float[Array, " 1"]:
        return moments
