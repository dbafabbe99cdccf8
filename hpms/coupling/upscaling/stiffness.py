"""A stiffness: Algorithm 4.1 for Hooke's law."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.coupling.upscaling.base import AbstractWhole
from hpms.fem.elastic.strains import unit_strains
from hpms.jet import Jet
from hpms.problem.law.base import AbstractMedium


class Stiffness(AbstractWhole):
    """C̃_kl = (⟨E_k:σ(w_l)⟩ + ⟨E_l:σ(w_k)⟩)/2, the means over the points x^r, of w_l = E_l x on ∂Ω, d = `dim`.

    E_l are the d(d+1)/2 unit strains of `hpms.fem.elastic.strains`, in Mandel's scaling, and ⟨e(w_l)⟩ = E_l as the
    network vanishes on ∂Ω. κ are the entries on and above the diagonal, row by row.
    """

    dim: int = eqx.field(static=True)

    @property
    def lifts(self) -> int:
        return self.dim * (self.dim + 1) // 2

    @property
    def columns(self) -> int:
        return self.lifts * self.dim

    @property
    def basis(self) -> Float[np.ndarray, "p 1 s s"]:
        found = np.zeros((len(self._upper[0]), 1, self.lifts, self.lifts))
        for entry, i, j in zip(found[:, 0], *self._upper, strict=True):
            entry[i, j] = entry[j, i] = 1.0
        return found

    @property
    def neutral(self) -> Float[np.ndarray, " s"]:
        return np.eye(self.lifts).ravel()

    def densities(self, jet: Jet, medium: AbstractMedium) -> Float[Array, "b q"]:
        units = jnp.asarray(unit_strains(self.dim), jet.value.dtype)
        slopes = units.reshape(-1, self.dim).T
        strains = tuple(g + slope for g, slope in zip(jet.gradient, slopes, strict=True))
        found = jnp.stack(medium.stress(strains), axis=-1).reshape(-1, self.lifts, self.dim, self.dim)
        return jnp.einsum("kib,mlib->mkl", units, found).reshape(len(found), -1)

    def parameters(self, moments: Float[Array, " s"]) -> Float[Array, " p"]:
        square = moments.reshape(self.lifts, self.lifts)
        return ((square + square.T) / 2)[self._upper]

    @property
    def _upper(self) -> tuple[np.ndarray, np.ndarray]:
        return np.triu_indices(self.lifts)
