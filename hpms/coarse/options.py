"""`coarse=p1` and `reference=default`."""

import logging
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from hpms.coarse import baseline, reference
from hpms.coarse.p1 import P1Space
from hpms.errors import ConfigError
from hpms.registry import register
from hpms.schema import Bound, Folder, Positive

log = logging.getLogger(__name__)
_MOST = 1_000_000


@register("coarse", "p1")
@dataclass(frozen=True)
class CoarseP1:
    """`coarse=p1`: P1 elements on a uniform mesh of width `h` (the nearest 1/n), 0 < h <= 1/2; below ε is sensible."""

    h: Annotated[float, Bound(above=0.0, most=0.5)]

    def check(self, config: Any) -> None:
        if round(1 / self.h) ** config.problem.dim > _MOST:
            raise ConfigError("coarse.h", self.h, f"its mesh may have at most {_MOST:.0e} nodes")
        if self.h > config.problem.eps:
            log.warning(
                "coarse.h=%g is larger than problem.eps=%g: the coarse mesh does not see the averages' scale",
                self.h,
                config.problem.eps,
            )

    def build(self, dim: int) -> P1Space:
        """The coarse space."""
        return P1Space(dim, self.h)


@register("reference", "default")
@dataclass(frozen=True)
class DefaultReference:
    """`reference=default`: what results are measured against.

    **Arguments:** `method`: exact (1-D quadrature), p2, p1, or auto (exact in 1-D, else p2); its mesh width `h`, or
    null for ε/32 or what can be computed in half a minute; `fem_h`, the width of the fine P1 mesh that is shown beside
    the network; `cache`, the directory of results.
    """

    method: Literal["auto", "exact", "p1", "p2"]
    h: Positive | None
    fem_h: Positive
    cache: Folder

    def check(self, config: Any) -> None:
        if self.method == "exact" and config.problem.dim != 1:
            raise ConfigError("reference.method", self.method, "it needs problem.dim=1; choose auto, p2 or p1")
        dim = config.problem.dim
        reference.cells(dim, config.problem.eps, reference.method_name(self.method, dim), self.h)
        baseline.cells(dim, self.fem_h)
