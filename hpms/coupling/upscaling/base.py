"""What every upscaling offers."""

import abc

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.jet import Jet
from hpms.problem.law.base import AbstractMedium


class AbstractUpscaling(eqx.Module):
    """κ in R^p from s means over the collocation points, and the tensors K̃^j(κ), j = 1..N, which are linear in κ.

    The coarse operator is then affine in κ: B[κ] = Σ_k κ_k A_k.
    """

    @property
    @abc.abstractmethod
    def lifts(self) -> int:
        """l, the number of lifted problems w_i = x_i whose fine solutions it takes."""

    @property
    def columns(self) -> int:
        """Those of v: the components of all of these w_i."""
        return self.lifts

    @property
    @abc.abstractmethod
    def cells(self) -> tuple[int, ...]:
        """The numbers of cells along each axis, N in all."""

    @property
    @abc.abstractmethod
    def basis(self) -> Float[np.ndarray, "p n a b"]:
        """∂K̃^j_ab/∂κ_k; row a belongs to the gradient, column b to the flux, of vectors to strain and stress."""

    @property
    @abc.abstractmethod
    def neutral(self) -> Float[np.ndarray, " s"]:
        """Means that belong to an admissible κ, for the time before there are any."""

    @abc.abstractmethod
    def densities(self, jet: Jet, medium: AbstractMedium) -> Float[Array, "b q"]:
        """What κ is made of, at each point."""

    @abc.abstractmethod
    def members(self, points: Float[Array, "b d"]) -> Float[Array, "b n"] | None:
        """1 in the column of the cell in which a point lies, else 0; None where there is one cell."""

    def moments(
        self, points: Float[Array, "b d"], jet: Jet, medium: AbstractMedium, weights: Float[Array, " b"]
    ) -> Float[Array, " s"]:
        """The sums of the densities over one block of points, cell by cell, times quadrature `weights`."""
        found, members = self.densities(jet, medium), self.members(points)
        if members is None:
            return jnp.sum(weights[:, None] * found, axis=0)
        return ((weights[:, None] * members).T @ found).ravel()

    @abc.abstractmethod
    def parameters(self, moments: Float[Array, " s"]) -> Float[Array, " p"]:
        """κ from the means of the moments over all points."""

    @abc.abstractmethod
    def is_determined(self, moments: Float[np.ndarray, " s"]) -> bool:
        """Whether the means are such that κ is well determined by them."""

    @property
    @abc.abstractmethod
    def is_linear(self) -> bool:
        """Whether κ is a linear function of the moments."""

    def tensors(self, kappa: Float[np.ndarray, " p"]) -> Float[np.ndarray, "*n a b"]:
        """K̃^j (N, d, d), or K̃ (d, d) where there is one cell; NaN where there is no κ."""
        if not kappa.size:
            return np.full(self.basis.shape[2:], np.nan)
        found = np.tensordot(kappa, self.basis, axes=1)
        return found[0] if len(found) == 1 else found


class AbstractWhole(AbstractUpscaling):
    """One K̃ for all of Ω in d = `dim` dimensions, of which κ is linear in the means."""

    dim: eqx.AbstractVar[int]

    @property
    def cells(self) -> tuple[int, ...]:
        return (1,) * self.dim

    def members(self, points: Float[Array, "b d"]) -> None:
        return None

    @property
    def is_linear(self) -> bool:
        return True

    def is_determined(self, moments: Float[np.ndarray, " s"]) -> bool:
        return True
