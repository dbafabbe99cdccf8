"""`coefficient=checkerboard|inclusions|layered_angle`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from hpms.config.registry import register
from hpms.config.schema import Bound, Count, Fraction, Positive, Width
from hpms.errors import ConfigError
from hpms.options.coefficient import CoefficientOptions

if TYPE_CHECKING:
    import numpy as np

    from hpms.config.config import Config
    from hpms.problem.coefficient.checkerboard import CheckerboardCoefficient
    from hpms.problem.coefficient.inclusions import InclusionsCoefficient
    from hpms.problem.coefficient.layered import LayeredCoefficient

Seed = Annotated[int, Bound(least=0, most=2.0**32 - 1)]
_MOST_INCLUSIONS = 2000


@register("coefficient", "checkerboard")
@dataclass(frozen=True)
class CheckerboardOptions(CoefficientOptions):
    """`coefficient=checkerboard`: `low` = k₁, `high` = k₂, squares of side eps/2, `smoothing` = η in (0, 1]."""

    low: Positive
    high: Positive
    smoothing: Fraction

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return (eps,) * dim

    def build(self, dim: int, eps: float) -> CheckerboardCoefficient:
        from hpms.problem.coefficient.checkerboard import CheckerboardCoefficient

        return CheckerboardCoefficient(
            low=self.low, high=self.high, smoothing=self.smoothing, eps=eps, periods=self.lengths(dim, eps)
        )


@register("coefficient", "layered_angle")
@dataclass(frozen=True)
class LayeredAngleOptions(CoefficientOptions):
    """`coefficient=layered_angle`: `layered` with its normal turned by `angle` degrees from x1 towards x2."""

    low: Positive
    high: Positive
    angle: float
    smoothing: Fraction

    def check(self, config: Config) -> None:
        if config.problem.dim == 1:
            raise ConfigError("coefficient.angle", self.angle, "it needs problem.dim=2 or 3; take coefficient=layered")

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return tuple(eps / abs(n) if n else eps for n in self._normal(dim))

    def build(self, dim: int, eps: float) -> LayeredCoefficient:
        from hpms.problem.coefficient.layered import LayeredCoefficient

        return LayeredCoefficient(
            low=self.low,
            high=self.high,
            smoothing=self.smoothing,
            normal=self._normal(dim),
            eps=eps,
            periods=self.lengths(dim, eps),
        )

    def _normal(self, dim: int) -> tuple[float, ...]:
        turned = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle)), 0.0
        return tuple(0.0 if abs(n) < 1e-12 else n for n in turned)[:dim]


@register("coefficient", "inclusions")
@dataclass(frozen=True)
class InclusionsOptions(CoefficientOptions):
    """`coefficient=inclusions`: discs (balls, intervals) of one material in another.

    **Arguments:** K of the `matrix` and of an `inclusion`; `radius` and `smoothing` of the interface, lengths;
    `arrangement`: periodic, one in the middle of each cell of side eps, or random, within Ω without overlaps, by `seed`
    and either their `count` or their volume `fraction`.
    """

    matrix: Positive
    inclusion: Positive
    arrangement: Literal["periodic", "random"]
    radius: Width
    smoothing: Width
    count: Count | None
    fraction: Fraction | None
    seed: Seed

    def check(self, config: Config) -> None:
        if self.smoothing > self.radius / 2:
            raise ConfigError(
                "coefficient.smoothing", self.smoothing, f"it must be at most {self.radius / 2:g}, radius/2"
            )
        given = self.count is not None, self.fraction is not None
        if self.arrangement == "random":
            if sum(given) != 1:
                reason = "arrangement=random needs a number, or the other, coefficient.fraction"
                raise ConfigError("coefficient.count", self.count, f"{reason}, and not both")
            self._packed(config.problem.lengths)
            return
        if any(given):
            key = "count" if given[0] else "fraction"
            raise ConfigError(f"coefficient.{key}", getattr(self, key), "with arrangement=periodic it has to be null")
        if 2 * (self.radius + self.smoothing) > config.problem.eps:
            most = config.problem.eps / 2 - self.smoothing
            reason = f"a cell of side eps={config.problem.eps:g} has room for radii up to {most:.4g}"
            raise ConfigError("coefficient.radius", self.radius, reason)

    def lengths(self, dim: int, eps: float) -> tuple[float, ...] | None:
        return (eps,) * dim if self.arrangement == "periodic" else None

    def build(self, dim: int, eps: float) -> InclusionsCoefficient:
        return self.over((1.0,) * dim, eps)

    def over(self, sides: tuple[float, ...], eps: float) -> InclusionsCoefficient:
        import jax.numpy as jnp

        from hpms.problem.coefficient.inclusions import InclusionsCoefficient, array_of_centres

        periods = self.lengths(len(sides), eps)
        return InclusionsCoefficient(
            matrix=self.matrix,
            inclusion=self.inclusion,
            radius=self.radius,
            smoothing=self.smoothing,
            centres=jnp.asarray(self._packed(sides) if periods is None else array_of_centres(eps, len(sides))),
            periods=periods,
        )

    def _packed(self, sides: tuple[float, ...]) -> np.ndarray:
        from hpms.problem.coefficient.packing import ball_volume, packing

        share = ball_volume(len(sides), self.radius) / math.prod(sides)
        count = self.count or max(round((self.fraction or 0.0) / share), 1)
        key, value = ("count", count) if self.fraction is None else ("fraction", self.fraction)
        if count > _MOST_INCLUSIONS:
            reason = f"there may be {_MOST_INCLUSIONS} inclusions, and these are {count}: enlarge coefficient.radius"
            raise ConfigError(f"coefficient.{key}", value, reason)
        found = packing(sides, count, self.radius, 2 * self.smoothing, self.seed) if count * share < 1 else None
        if found is None:
            reason = f"{count} of coefficient.radius={self.radius:g} do not fit into the domain without overlaps"
            raise ConfigError(f"coefficient.{key}", value, reason)
        return found
