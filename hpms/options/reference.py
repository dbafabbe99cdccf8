"""`reference=...`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from hpms.config.registry import register
from hpms.config.schema import Folder, Positive, Width
from hpms.errors import ConfigError
from hpms.fem.fine import meshes
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    from hpms.config.config import Config


class ReferenceOptions(AbstractOptions):
    """What results are measured against, where there `is_one`."""

    is_one: ClassVar[bool]

    @property
    def is_layered(self) -> bool:
        """Whether it is a series for a medium that depends on x₁ alone."""
        return False


@register("reference", "none")
@dataclass(frozen=True)
class NoneOptions(ReferenceOptions):
    """`reference=none`: nothing; a run logs no errors, and its fields are those of the network alone."""

    is_one: ClassVar[bool] = False


@register("reference", "default")
@dataclass(frozen=True)
class DefaultOptions(ReferenceOptions):
    """`reference=default`: a fine solution.

    **Arguments:** `method`: exact (1-D quadrature), p2, p1, auto (exact in 1-D, else p2), or layered: a series for a
    medium that depends on x1 alone, periodic, with a constant source, in 2-D and 3-D, whose cost hardly depends on ε;
    its mesh width `h`, or null for ε/32 or what can be computed in half a minute (layered: the spacing of nodes along
    x1, with which the number of modes goes; null for a 384th of the period); `baseline_h`, the width of the P1 mesh
    of the fine FEM beside the network; `delta`, the diameter of the balls of the paper's averages, whose gap is always
    reported; `cache`, the directory of results.
    """

    method: Literal["auto", "exact", "p1", "p2", "layered"]
    h: Width | None
    baseline_h: Width
    delta: Positive
    cache: Folder
    is_one: ClassVar[bool] = True

    @property
    def is_layered(self) -> bool:
        return self.method == "layered"

    def check(self, config: Config) -> None:
        dim, longest = config.problem.dim, max(config.problem.lengths)
        if self.method == "exact" and dim != 1:
            raise ConfigError("reference.method", self.method, "it needs problem.dim=1; choose auto, p2 or p1")
        if self.method == "layered":
            self._check_layers(config)
        else:
            name = meshes.method_name(self.method, dim, not config.law.is_the_papers)
            meshes.reference_cells(dim, config.problem.eps, name, self.h, longest, config.law.components(dim))
        meshes.baseline_cells(dim, self.baseline_h, longest)

    def _check_layers(self, config: Config) -> None:
        dim = config.problem.dim
        if dim == 1:
            raise ConfigError("reference.method", self.method, "it needs problem.dim=2 or 3; choose auto or exact")
        periods = config.coefficient.lengths(dim, config.problem.eps)
        if periods is None:
            raise ConfigError("coefficient.periods", "null", "reference.method=layered needs the period of x1")
        meshes.layered_nodes(periods[0], self.h)


def needed(options: ReferenceOptions) -> DefaultOptions:
    """The options of a fine solution; a `ConfigError` where there is to be none."""
    if not isinstance(options, DefaultOptions):
        raise ConfigError("reference", "none", "this needs a fine solution: take default")
    return options
