"""What every upscaling offers."""

import abc

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.problem.lifted import Medium


class AbstractUpscaling(eqx.Module):
    """κ in R^p from s means over the collocation points, and the tensors K̃^j(κ), j = 1..N, which are linear in κ.

    The coarse operator is then affine in κ: B[κ] = Σ_k κ_k A_k.
    """

    @property
    @abc.abstractmethod
    def basis(self) -> Float[np.ndarray, "p n d d"]:
        """∂K̃^j_ab/∂κ_k."""

    @property
    @abc.abstractmethod
    def neutral(self) -> Float[np.ndarray, " s"]:
        """Means that belong to an admissible κ, for the time before there are any."""

    @abc.abstractmethod
    def moments(
        self, points: Float[Array, "b d"], jet: Jet, medium: Medium, mask: Float[Array, " b"]
    ) -> Float[Array, " s"]:
        """The sums over one block of points of what κ is made of; `mask` is 0 at the padding."""

    @abc.abstractmethod
    def parameters(self, moments: Float[Array, " s"]) -> Float[Array, " p"]:
        """κ from the means of the moments over all points."""

    @abc.abstractmethod
    def tensors(self, kappa: Float[np.ndarray, " p"]) -> Float[np.ndarray, "*n d d"]:
        """K̃^j (N, d, d), or K̃ (d, d) where there is one."""
