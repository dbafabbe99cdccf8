"""`reference=...`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hpms.errors import ConfigError
from hpms.fem.fine import meshes
from hpms.options.base import AbstractOptions
from hpms.registry import register
from hpms.schema import Folder, Width

if TYPE_CHECKING:
    from hpms.config import Config


@register("reference", "default")
@dataclass(frozen=True)
class ReferenceOptions(AbstractOptions):
    """`reference=default`: what results are measured against.

    **Arguments:** `method`: exact (1-D quadrature), p2, p1, or auto (exact in 1-D, else p2); its mesh width `h`, or
    null for ε/32 or what can be computed in half a minute; `fem_h`, the width of the fine P1 mesh that is shown beside
    the network; `cache`, the directory of results.
    """

    method: Literal["auto", "exact", "p1", "p2"]
    h: Width | None
    fem_h: Width
    cache: Folder

    def check(self, config: Config) -> None:
        dim = config.problem.dim
        if self.method == "exact" and dim != 1:
            raise ConfigError("reference.method", self.method, "it needs problem.dim=1; choose auto, p2 or p1")
        meshes.reference_cells(dim, config.problem.eps, meshes.method_name(self.method, dim), self.h)
        meshes.baseline_cells(dim, self.fem_h)
