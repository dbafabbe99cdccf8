"""`coarse=...`."""

from __future__ import annotations

import abc
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from hpms.config.registry import register
from hpms.config.schema import Bound
from hpms.errors import ConfigError
from hpms.options.base import AbstractOptions
from hpms.options.coupling import BallOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.fem.p1 import P1Space

log = logging.getLogger(__name__)
_MOST = 1_000_000


class CoarseOptions(AbstractOptions, abc.ABC):
    """The coarse space, of mesh width `h`."""

    h: float

    @abc.abstractmethod
    def build(self, dim: int, multiple: int) -> P1Space:
        """The coarse space, with a number of elements along each axis that is a multiple of that number."""


@register("coarse", "p1")
@dataclass(frozen=True)
class P1Options(CoarseOptions):
    """`coarse=p1`: P1 elements on a uniform mesh of width `h` (the nearest 1/n), 0 < h <= 1/2; below ε is sensible."""

    h: Annotated[float, Bound(least=1e-9, most=0.5)]

    def check(self, config: Config) -> None:
        if round(1 / self.h) ** config.problem.dim > _MOST:
            raise ConfigError("coarse.h", self.h, f"its mesh may have at most {_MOST:.0e} nodes")
        if self.h > config.problem.eps and isinstance(config.coupling, BallOptions):
            log.warning(
                "coarse.h=%g is larger than problem.eps=%g: the coarse mesh does not see the averages' scale",
                self.h,
                config.problem.eps,
            )

    def build(self, dim: int, multiple: int) -> P1Space:
        from hpms.fem.p1 import P1Space

        return P1Space(dim, self.h, multiple=multiple)
