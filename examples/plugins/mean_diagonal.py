"""An upscaling: K̃ = κI with κ the mean of K̃₁₁, ..., K̃_dd, K̃_ii = ⟨(K∇w_i)_i⟩, for networks that vanish on ∂Ω."""

from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import numpy as np

from hpms.config.registry import register
from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.options.upscaling import UpscalingOptions
from hpms.problem.lifted import strains


class MeanDiagonal(AbstractUpscaling):
    dim: int = eqx.field(static=True)

    @property
    def lifts(self):
        return self.dim

    @property
    def cells(self):
        return (1,) * self.dim

    @property
    def basis(self):
        return np.eye(self.dim)[None, None]

    @property
    def neutral(self):
        return np.ones(1)

    @property
    def is_linear(self):
        return True

    def densities(self, jet, medium):
        fluxes = medium.stress(strains(jet))
        return sum(flux[:, i : i + 1] for i, flux in enumerate(fluxes)) / self.dim

    def members(self, points):
        return None

    def parameters(self, moments):
        return moments

    def is_determined(self, moments):
        return True


@register("upscaling", "mean_diagonal")
@dataclass(frozen=True)
class MeanDiagonalOptions(UpscalingOptions):
    is_isotropic: ClassVar[bool] = True

    def lifts(self, dim):
        return dim

    def build(self, dim, hard):
        return MeanDiagonal(dim=dim)

    def exact(self, tensor, means):
        return np.trace(tensor) / len(tensor) * np.eye(len(tensor))[None]
