"""`collocation=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.options.base import AbstractOptions
from hpms.registry import register
from hpms.schema import Count

if TYPE_CHECKING:
    from jaxtyping import Array, Float, PRNGKeyArray

    from hpms.problem.unit_cube import UnitCube


@dataclass(frozen=True)
class CollocationOptions(AbstractOptions, abc.ABC):
    """M_Ω = `interior` points in Ω and M_∂Ω = `boundary` points on ∂Ω, drawn anew at each iteration where `fresh`."""

    interior: Count
    boundary: Count
    fresh: ClassVar[bool]

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray, domain: UnitCube) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        """Interior and boundary points."""


@register("collocation", "uniform")
@dataclass(frozen=True)
class UniformOptions(CollocationOptions):
    """`collocation=uniform`: uniform random points, fixed during a run; `interior` = M_Ω, `boundary` = M_∂Ω."""

    fresh: ClassVar[bool] = False

    def sample(self, key: PRNGKeyArray, domain: UnitCube) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        import jax

        interior_key, boundary_key = jax.random.split(key)
        return domain.sample_interior(interior_key, self.interior), domain.sample_boundary(boundary_key, self.boundary)


@register("collocation", "fresh")
@dataclass(frozen=True)
class FreshOptions(CollocationOptions):
    """`collocation=fresh`: at each iteration a lattice of `interior` = M_Ω points with a new random shift.

    `boundary` = M_∂Ω points are drawn anew, too. Metrics and the averages of a coupling use the first ones throughout.
    """

    fresh: ClassVar[bool] = True

    def sample(self, key: PRNGKeyArray, domain: UnitCube) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        import jax

        interior_key, boundary_key = jax.random.split(key)
        return domain.lattice_interior(interior_key, self.interior), domain.sample_boundary(boundary_key, self.boundary)
