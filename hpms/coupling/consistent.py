"""`coupling=consistent`."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import jax.numpy as jnp
import numpy as np

from hpms.coarse.box import BoxAverage, box_fields, box_gap
from hpms.coarse.p1 import P1Space
from hpms.coarse.reference import Reference
from hpms.coupling.base import AbstractCoarseSide, AbstractCoupling
from hpms.coupling.box import box_coupling
from hpms.coupling.handover import hand_over
from hpms.coupling.hybrid import ball_coupling, ball_fields
from hpms.coupling.lazy import UpdateRule
from hpms.coupling.schedule import Schedule
from hpms.errors import ConfigError
from hpms.problem.lifted import LiftedProblem
from hpms.registry import register
from hpms.schema import Bound, Count, NonNegative, Positive

_MOST_POINTS, _MOST_ENTRIES = 2_000_000, 20_000_000
_FINE = {1: 2000, 2: 128, 3: 20}  # cells per axis of the mesh for the gap


@register("coupling", "consistent")
@dataclass(frozen=True)
class Consistent:
    """`coupling=consistent`: box means against a coarse state with the network's own boundary data.

    **Arguments:** `tau2` = τ₂. The box has `cells` whole periods of the coefficient along each axis, or, where it
    declares no periods, the side `delta`; `points` lattice points per period (or per eps) and axis, 4 to 1000;
    `average` = box, or hat, the mean of the means. `update`, `interval`, `threshold` as in `coupling=hybrid`; so
    `schedule` of τ₂ = constant, decaying, until, with `half_life` and `level`; or hybrid_first: the coupling by balls
    of diameter `delta` until iteration `switch`, or, if that is null, until the residual loss is below `level` times
    that of v = 0.
    """

    tau2: NonNegative
    delta: Positive
    cells: Count
    points: Annotated[int, Bound(least=4, most=1000)]
    average: Literal["box", "hat"]
    update: Literal["lazy", "every_step"]
    interval: Count
    threshold: NonNegative
    schedule: Literal["constant", "decaying", "until", "hybrid_first"]
    half_life: Count
    level: Positive
    switch: Count | None

    def check(self, config: Any) -> None:
        dim, eps, h = config.problem.dim, config.problem.eps, config.coarse.h
        periods = config.coefficient.build(dim, eps).periods
        sides, counts = self._box(periods, dim, eps)
        reach = sides if self.average == "box" else 2 * sides
        if (reach > 1 - 2 * np.maximum(h, sides / counts)).any():
            key, value = ("delta", f"{self.delta:g}") if periods is None else ("cells", self.cells)
            shape = " x ".join(f"{side:.4g}" for side in reach)
            limit = float((1 - 2 * np.maximum(h, sides / counts)).min())
            reason = f"averages over {shape} do not fit beside a mesh of coarse.h={h:g}, sides up to {limit:.3g} do"
            raise ConfigError(f"coupling.{key}", value, reason)
        if self.schedule == "hybrid_first" and (self.switch or 0) >= config.training.iterations:
            allowed = f"it must be below training.iterations={config.training.iterations}, or null for coupling.level"
            raise ConfigError("coupling.switch", self.switch, allowed)
        entries = (1 / h + 1) ** dim * np.prod(counts * (2.0 if self.average == "hat" else 1.0))
        if (most := max(entries / _MOST_ENTRIES, np.prod(counts / sides) / _MOST_POINTS)) > 1:
            reason = f"its averages would need {most:.1f} times the numbers that are allowed"
            raise ConfigError("coupling.points", self.points, reason)

    def average_for(self, problem: LiftedProblem) -> BoxAverage:
        """Q̄ for the coefficient's periods."""
        sides, counts = self._box(problem.coefficient.periods, problem.domain.dim, problem.domain.eps)
        return BoxAverage(sides, counts, self.average == "hat")

    def build(
        self, space: P1Space, problem: LiftedProblem, points: np.ndarray, block: int, dtype: jnp.dtype
    ) -> tuple[AbstractCoupling, AbstractCoarseSide]:
        """The jitted and the host's part; the collocation points (M, d) only matter to a coupling by balls before."""
        kind = "constant" if self.schedule == "hybrid_first" else self.schedule
        rule = UpdateRule.of(self.update, self.interval, self.threshold, Schedule(kind, self.half_life, self.level))
        found = box_coupling(problem, self.average_for(problem), space.h, rule, block, dtype)
        if self.schedule != "hybrid_first":
            return found
        first = ball_coupling(space, problem, points, self.delta, False, rule, block, dtype)
        return hand_over(first, found, self.switch, self.level, block)

    def trained_gap(self, problem: LiftedProblem, reference: Reference, h: float) -> float:
        """‖Q̄u - y‖/‖u‖ in Ω_δ on the fine solution as training sees it: with K̃₁₁I on the coarse mesh of width h."""
        return box_gap(reference.fine, problem.source_at(), _isotropic(reference), self.average_for(problem), h)

    def reference_fields(
        self, problem: LiftedProblem, reference: Reference, space: P1Space
    ) -> tuple[np.ndarray, np.ndarray]:
        """Q̄u and y of the reference, with K̃₁₁I on the coarse mesh, at the nodes (N,) of the means."""
        average = self.average_for(problem)
        inner = P1Space(space.dim, space.h, average.low, average.high)
        found = box_fields(reference.fine, problem.source_at(), _isotropic(reference), average, inner)
        if self.schedule != "hybrid_first":
            return found
        first = ball_fields(reference, space.nodes, self.delta, problem.domain.eps)
        return np.concatenate([first[0], found[0]]), np.concatenate([first[1], found[1]])

    def gaps(self, problem: LiftedProblem, reference: Reference, h: float) -> dict[str, float]:
        """`trained_gap`, the same on a fine mesh, and that with K̃ in place of K̃₁₁I."""
        tensor, fine = reference.upscaled_coefficient, min(h, 1 / _FINE[problem.domain.dim])
        return {
            "box_gap": box_gap(reference.fine, problem.source_at(), tensor, self.average_for(problem), fine),
            "box_gap_isotropic": self.trained_gap(problem, reference, fine),
            "box_gap_coarse": self.trained_gap(problem, reference, h),
        }

    def _box(self, periods: tuple[float, ...] | None, dim: int, eps: float) -> tuple[np.ndarray, np.ndarray]:
        """Sides, and lattice points along each."""
        if periods is None:
            sides = np.full(dim, self.delta)
            return sides, np.maximum(2, np.ceil(self.points * sides / eps - 1e-9)).astype(int)
        return self.cells * np.asarray(periods), np.full(dim, self.points * self.cells)


def _isotropic(reference: Reference) -> np.ndarray:
    return reference.upscaled_coefficient[0, 0] * np.eye(len(reference.upscaled_coefficient))
