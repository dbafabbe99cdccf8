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
    """M_Ω = `interior_points` in Ω and M_∂Ω = `boundary_points` on ∂Ω, drawn anew at each iteration where `fresh`, and
    as dense everywhere where `even`.
    """

    interior_points: Count
    boundary_points: Count
    fresh: ClassVar[bool]
    even: ClassVar[bool] = True

    @abc.abstractmethod
    def sample(self, key: PRNGKeyArray, domain: AbstractDomain) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        """Interior and boundary points."""

    def weights(self, domain: AbstractDomain) -> np.ndarray:
        """The quadrature weights of the interior points, in their order, times M_Ω/|Ω|: of mean 1."""
        import numpy as np

        return np.ones(self.interior_points)


@register("collocation", "uniform")
@dataclass(frozen=True)
class UniformOptions(CollocationOptions):
    """`collocation=uniform`: M_Ω = `interior_points` and M_∂Ω = `boundary_points`, uniform, fixed during a run."""

    fresh: ClassVar[bool] = False

    def sample(self, key: PRNGKeyArray, domain: AbstractDomain) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        import jax

        interior_key, boundary_key = jax.random.split(key)
        return domain.sample_interior(interior_key, self.interior_points), domain.sample_boundary(
            boundary_key, self.boundary_points
        )


@register("collocation", "resampled")
@dataclass(frozen=True)
class ResampledOptions(CollocationOptions):
    """`collocation=resampled`: at each iteration a lattice of M_Ω = `interior_points` with a new random shift.

    M_∂Ω = `boundary_points` are drawn anew, too. Metrics and the averages of a coupling use the first ones throughout.
    """

    fresh: ClassVar[bool] = True

    def sample(self, key: PRNGKeyArray, domain: AbstractDomain) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        import jax

        interior_key, boundary_key = jax.random.split(key)
        return domain.lattice_interior(interior_key, self.interior_points), domain.sample_boundary(
            boundary_key, self.boundary_points
        )


@register("collocation", "boundary_layers")
@dataclass(frozen=True)
class BoundaryLayersOptions(CollocationOptions):
    """`collocation=boundary_layers`: as resampled, with a `layer_share` of the points within `layer_width` of ∂Ω,
    where the corrector of scale ε is undone: the residual's sum and K̃ have importance weights.
    """

    layer_width: Positive
    layer_share: Fraction
    fresh: ClassVar[bool] = True
    even: ClassVar[bool] = False

    def check(self, config: Config) -> None:
        if self.layer_width >= 0.5:
            raise ConfigError(
                "collocation.layer_width", f"{self.layer_width:g}", "it must be less than half of the domain's size"
            )
        if not 0 < self._outer < self.interior_points:
            reason = f"of collocation.interior_points={self.interior_points} some must lie in the layers, and some not"
            raise ConfigError("collocation.layer_share", f"{self.layer_share:g}", reason)

    def sample(self, key: PRNGKeyArray, domain: AbstractDomain) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        import jax

        interior_key, boundary_key = jax.random.split(key)
        interior = domain.lattice_layers(
            interior_key, self._outer, self.interior_points - self._outer, self.layer_width
        )
        return interior, domain.sample_boundary(boundary_key, self.boundary_points)

    def weights(self, domain: AbstractDomain) -> np.ndarray:
        import numpy as np

        core, outer = domain.core_share(self.layer_width), self._outer
        parts = np.array([(1 - core) / outer, core / (self.interior_points - outer)]) * self.interior_points
        return np.repeat(parts, [outer, self.interior_points - outer])

    @property
    def _outer(self) -> int:
        """The number of points in the layers."""
        return round(self.layer_share * self.interior_points)
