"""`upscaling=...`."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.config.registry import register
from hpms.config.schema import Count
from hpms.errors import ConfigError
from hpms.fem.elements import elements
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    import numpy as np

    from hpms.config.config import Config
    from hpms.coupling.upscaling.base import AbstractUpscaling
    from hpms.fem.fine.cells import CellMeans

_MOST_CELLS, _MOST_FINER = 256, 2


class UpscalingOptions(AbstractOptions, abc.ABC):
    """Which upscaled coefficient K̃ the coarse problem has; `is_constant` where it is one for all of Ω, `is_isotropic`
    where it is a number, `is_stiffness` where it is one of strains."""

    is_constant: ClassVar[bool] = True
    is_isotropic: ClassVar[bool] = False
    is_stiffness: ClassVar[bool] = False

    @abc.abstractmethod
    def lifts(self, dim: int) -> int:
        """l, the number of lifted problems w_i = x_i that the network solves."""

    @abc.abstractmethod
    def build(self, dim: int, hard: bool) -> AbstractUpscaling:
        """How K̃ comes from a network that vanishes on ∂Ω where `hard`."""

    @abc.abstractmethod
    def exact(self, tensor: np.ndarray, means: CellMeans | None) -> np.ndarray:
        """K̃^j (N, a, b), defined as the network's, of a fine solution with K̃ (a, b), and means where there are cells.

        Raises `UserError` where these do not determine it.
        """

    def check_mesh(self, config: Config) -> None:
        """Raises `ConfigError` where no coarse mesh of about the width that is asked for has room for the cells."""

    def cells_along(self, dim: int) -> tuple[int, ...]:
        """The numbers of cells along each axis."""
        return (1,) * dim

    def multiple(self, dim: int) -> int:
        """What the number of coarse elements along each axis is a multiple of, so that none lies in two cells."""
        return math.lcm(*self.cells_along(dim))


@register("upscaling", "none")
@dataclass(frozen=True)
class NoneOptions(UpscalingOptions):
    """`upscaling=none`: no K̃, for couplings that need none, and problems in which there is nothing to upscale."""

    def check(self, config: Config) -> None:
        if config.coupling.needs_upscaling:
            name = config.names["coupling"]
            raise ConfigError(
                "upscaling", "none", f"coupling={name} needs K̃: take isotropic, or coupling=none or galerkin"
            )

    def lifts(self, dim: int) -> int:
        return 1

    def build(self, dim: int, hard: bool) -> AbstractUpscaling:
        from hpms.coupling.upscaling.none import NoUpscaling

        return NoUpscaling(dim=dim)

    def exact(self, tensor: np.ndarray, means: CellMeans | None) -> np.ndarray:
        return tensor[None]


@register("upscaling", "isotropic")
@dataclass(frozen=True)
class IsotropicOptions(UpscalingOptions):
    """`upscaling=isotropic`: K̃ = K̃₁₁ I from w₁ alone, the paper's example."""

    is_isotropic: ClassVar[bool] = True

    def lifts(self, dim: int) -> int:
        return 1

    def build(self, dim: int, hard: bool) -> AbstractUpscaling:
        from hpms.coupling.upscaling.isotropic import Isotropic

        return Isotropic(dim=dim)

    def exact(self, tensor: np.ndarray, means: CellMeans | None) -> np.ndarray:
        import numpy as np

        return tensor[0, 0] * np.eye(len(tensor))[None]


@register("upscaling", "tensor")
@dataclass(frozen=True)
class TensorOptions(UpscalingOptions):
    """`upscaling=tensor`: all entries of K̃, from w_1, ..., w_d; with `symmetrise` its symmetric part."""

    symmetrise: bool

    def lifts(self, dim: int) -> int:
        return dim

    def build(self, dim: int, hard: bool) -> AbstractUpscaling:
        from hpms.coupling.upscaling.tensor import Tensor

        return Tensor(counts=(1,) * dim, measured=not hard, symmetrise=self.symmetrise)

    def exact(self, tensor: np.ndarray, means: CellMeans | None) -> np.ndarray:
        from hpms.fem.strain import symmetric

        return (symmetric(tensor) if self.symmetrise else tensor)[None]


@register("upscaling", "cells")
@dataclass(frozen=True)
class CellsOptions(UpscalingOptions):
    """`upscaling=cells`: a tensor K̃^j in each of so many equal `cells` along each axis, such as [4,4], Algorithm 4.1;
    with `symmetrise` its symmetric part. The coarse mesh is the next finer one whose elements each lie in one cell.
    """

    cells: tuple[Count, ...]
    symmetrise: bool
    is_constant: ClassVar[bool] = False

    def check(self, config: Config) -> None:
        dim = config.problem.dim
        if len(self.cells) != dim:
            reason = "give one number" if dim == 1 else f"give {dim} numbers, one per axis"
            raise ConfigError("upscaling.cells", list(self.cells), reason)
        if (count := math.prod(self.cells)) > _MOST_CELLS:
            raise ConfigError("upscaling.cells", list(self.cells), f"{count} cells are more than {_MOST_CELLS}")

    def check_mesh(self, config: Config) -> None:
        n = elements(1.0, config.coarse.h)
        if (needed := elements(1.0, config.coarse.h, self.multiple(config.problem.dim))) > _MOST_FINER * n:
            reason = (
                f"for no element to lie in two cells the coarse mesh would need {needed} along each axis, and coarse.h="
                f"{config.coarse.h:g} asks for {n}: give fewer cells or those of a smaller common multiple, or lower it"
            )
            raise ConfigError("upscaling.cells", list(self.cells), reason)

    def lifts(self, dim: int) -> int:
        return dim

    def build(self, dim: int, hard: bool) -> AbstractUpscaling:
        from hpms.coupling.upscaling.tensor import Tensor

        return Tensor(counts=self.cells, measured=not hard or math.prod(self.cells) > 1, symmetrise=self.symmetrise)

    def exact(self, tensor: np.ndarray, means: CellMeans | None) -> np.ndarray:
        from hpms.fem.fine.cells import tensors
        from hpms.fem.strain import symmetric

        assert means is not None
        return symmetric(tensors(means)) if self.symmetrise else tensors(means)

    def cells_along(self, dim: int) -> tuple[int, ...]:
        return self.cells


@register("upscaling", "stiffness")
@dataclass(frozen=True)
class StiffnessOptions(UpscalingOptions):
    """`upscaling=stiffness`: all entries of C̃ of `law=elasticity`, from w_l = E_l x on ∂Ω for the d(d+1)/2 unit strains
    E_l, in Voigt's order and Mandel's scaling.
    """

    is_stiffness: ClassVar[bool] = True

    def check(self, config: Config) -> None:
        if not config.law.takes_moduli:
            reason = f"it is for law=elasticity: with law={config.names['law']} take isotropic, tensor or cells"
            raise ConfigError("upscaling", "stiffness", reason)

    def lifts(self, dim: int) -> int:
        return dim * (dim + 1) // 2

    def build(self, dim: int, hard: bool) -> AbstractUpscaling:
        from hpms.coupling.upscaling.stiffness import Stiffness

        return Stiffness(dim=dim)

    def exact(self, tensor: np.ndarray, means: CellMeans | None) -> np.ndarray:
        return tensor[None]
