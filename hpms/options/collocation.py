"""`collocation=...`."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from hpms.config.registry import register
from hpms.config.schema import Count, Fraction, Positive
from hpms.errors import ConfigError
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Array, Float, PRNGKeyArray

    from hpms.config.config import Config
    from hpms.problem.domain import AbstractDomain


@dataclass(frozen=True)
class CollocationOptions(AbstractOptions, abc.ABC):
    """M_Ω = `interior` points in Ω and M_∂Ω = `boundary` points on ∂Ω, drawn anew at each iteration where `fresh`, and
    as dense everywhere where `even`.
    """

    interior: Count
    boundary: Count
    fresh: ClassVar[bool]
    even: ClassVar[bool] = True

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray, domain: AbstractDomain) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        """Interior and boundary points."""

    def weights(self, domain: AbstractDomain) -> np.ndarray:
        """The quadrature weights of the interior points, in their order, times M_Ω/|Ω|: of mean 1."""
        import numpy as np

        return np.ones(self.interior)


@register("collocation", "uniform")
@dataclass(frozen=True)
class UniformOptions(CollocationOptions):
    """`collocation=uniform`: uniform random points, fixed during a run; `interior` = M_Ω, `boundary` = M_∂Ω."""

    fresh: ClassVar[bool] = False

    def sample(self, key: PRNGKeyArray, domain: AbstractDomain) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        import jax

        interior_key, boundary_key = jax.random.split(key)
        return domain.sample_interior(interior_key, self.interior), domain.sample_boundary(boundary_key, self.boundary)


@register("collocation", "resampled")
@dataclass(frozen=True)
class ResampledOptions(CollocationOptions):
    """`collocation=resampled`: at each iteration a lattice of `interior` = M_Ω points with a new random shift.

    `boundary` = M_∂Ω points are drawn anew, too. Metrics and the averages of a coupling use the first ones throughout.
    """

    fresh: ClassVar[bool] = True

    def sample(self, key: PRNGKeyArray, domain: AbstractDomain) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        import jax

        interior_key, boundary_key = jax.random.split(key)
        return domain.lattice_interior(interior_key, self.interior), domain.sample_boundary(boundary_key, self.boundary)


@register("collocation", "boundary_layers")
@dataclass(frozen=True)
class BoundaryLayersOptions(CollocationOptions):
    """`collocation=boundary_layers`: as resampled, with a `share` of the points within `width` of ∂Ω, where the
    corrector of scale ε is undone: the residual's sum and K̃ have importance weights.
    """

    width: Positive
    share: Fraction
    fresh: ClassVar[bool] = True
    even: ClassVar[bool] = False

    def check(self, config: Config) -> None:
        if self.width >= 0.5:
            raise ConfigError("collocation.width", f"{self.width:g}", "it must be less than half of the domain's size")
        if not 0 < self._outer < self.interior:
            reason = f"of collocation.interior={self.interior} points some must lie in the layers, and some not"
            raise ConfigError("collocation.share", f"{self.share:g}", reason)

    def sample(self, key: PRNGKeyArray, domain: AbstractDomain) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        import jax

        interior_key, boundary_key = jax.random.split(key)
        interior = domain.lattice_layers(interior_key, self._outer, self.interior - self._outer, self.width)
        return interior, domain.sample_boundary(boundary_key, self.boundary)

    def weights(self, domain: AbstractDomain) -> np.ndarray:
        import numpy as np

        core, outer = domain.core_share(self.width), self._outer
        parts = np.array([(1 - core) / outer, core / (self.interior - outer)]) * self.interior
        return np.repeat(parts, [outer, self.interior - outer])

    @property
    def _outer(self) -> int:
        """The number of points in the layers."""
        return round(self.share * self.interior)
