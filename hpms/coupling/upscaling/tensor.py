"""A tensor, or one per cell: Algorithm 4.1."""

import math
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.fem.strain import determined, symmetric
from hpms.jet import Jet
from hpms.problem.law.base import AbstractMedium
from hpms.problem.lifted import strains


class Tensor(AbstractUpscaling):
    """K̃^j with ⟨(K∇w_i)_b⟩ = Σ_a ⟨∂_a w_i⟩ K̃^j_ab, the means over the points x^r of cell j, i = 1..d.

    Row a belongs to the gradient and column b to the flux, as in Eq. (4.10); Algorithm 4.1 writes the transpose.
    `counts` are their numbers along each axis. Unless `measured` ⟨∂_a w_i⟩ = δ_ia: that is so where there is one cell,
    Ω, and the network vanishes on ∂Ω. With `symmetrise` K̃^j is (K̃^j + K̃^jᵀ)/2. κ are the entries, cell by cell and
    row by row. K̃^j = 0, which admits no coarse state, where ⟨∂_a w_i⟩ is singular, as without points.
    """

    counts: tuple[int, ...] = eqx.field(static=True)
    measured: bool = eqx.field(static=True)
    symmetrise: bool = eqx.field(static=True)

    @property
    def cells(self) -> tuple[int, ...]:
        return self.counts

    @property
    def _number(self) -> int:
        return math.prod(self.counts)

    @property
    def lifts(self) -> int:
        return len(self.counts)

    @property
    def basis(self) -> Float[np.ndarray, "p n d d"]:
        shape = (self._number, self.lifts, self.lifts)
        return np.eye(math.prod(shape)).reshape(-1, *shape)

    @property
    def neutral(self) -> Float[np.ndarray, " s"]:
        parts = 2 if self.measured else 1
        return np.tile(np.eye(self.lifts), (self._number, parts, 1, 1)).ravel()

    def densities(self, jet: Jet, medium: AbstractMedium) -> Float[Array, "b q"]:
        slopes = strains(jet)
        fluxes = jnp.stack(medium.stress(slopes), axis=2)
        both = jnp.stack([fluxes, jnp.stack(slopes, axis=2)], axis=1) if self.measured else fluxes
        return both.reshape(len(fluxes), -1)

    def members(self, points: Float[Array, "b d"]) -> Float[Array, "b n"] | None:
        if self._number == 1:
            return None
        counts = jnp.asarray(self.counts)
        place = jnp.clip(jnp.floor(points * counts.astype(points.dtype)).astype(counts.dtype), 0, counts - 1)
        cell = jnp.ravel_multi_index(tuple(place.T), self.counts, mode="clip")
        return (cell[:, None] == jnp.arange(self._number)).astype(points.dtype)

    @property
    def is_linear(self) -> bool:
        return not self.measured

    def parameters(self, moments: Float[Array, " s"]) -> Float[Array, " p"]:
        flux, strains = self._split(moments)
        if strains is not None:
            solvable = (jnp.linalg.det(strains) != 0)[:, None, None]
            regular = jnp.where(solvable, strains, jnp.eye(self.lifts, dtype=strains.dtype))
            flux = jnp.where(solvable, jnp.linalg.solve(regular, flux), 0)
        return (symmetric(flux) if self.symmetrise else flux).ravel()

    def is_determined(self, moments: Float[np.ndarray, " s"]) -> bool:
        _, strains = self._split(moments)
        return strains is None or bool(determined(self._number * strains).all())  # a cell has 1/N of the points

    def _split(self, moments: Any) -> tuple[Any, Any]:
        """The means of flux and strain, (N, i, b) and (N, i, a), the latter None unless `measured`."""
        parts = moments.reshape(self._number, -1, self.lifts, self.lifts)
        return parts[:, 0], parts[:, 1] if self.measured else None
