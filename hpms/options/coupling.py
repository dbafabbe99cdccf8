"""`coupling=...`."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from hpms.config.registry import register
from hpms.config.schema import Bound, Count, NonNegative, Positive, Width
from hpms.errors import ConfigError
from hpms.options.base import AbstractOptions

if TYPE_CHECKING:
    import numpy as np

    from hpms.config.config import Config
    from hpms.coupling.base import AbstractCoarseSolver, AbstractCoupling, CouplingContext
    from hpms.coupling.known import Known
    from hpms.coupling.lazy import UpdateRule
    from hpms.coupling.weak import AbstractWeakForm
    from hpms.fem.coarse.box import BoxAverage
    from hpms.problem.lifted import LiftedProblem

_MOST_POINTS, _MOST_ENTRIES, _MOST_ROWS = 2_000_000, 20_000_000, 4000


class CouplingOptions(AbstractOptions, abc.ABC):
    """A coupling of the weight τ₂ = `tau2`, or, where `share` is a number, of τ₂ = share · J_res/R_δ at v = 0 or, where
    R is an energy, of a constant gradient, if that is more.

    One that `needs_upscaling` has a coarse state of K̃, and so needs w_i = x_i on ∂Ω of the unit cube; the others
    are for all conditions. One that `has_averages` compares those of v with its state. `gap_formula` is what
    `trained_gap` is.
    """

    tau2: float
    share: float | None
    is_there: ClassVar[bool] = True
    needs_upscaling: ClassVar[bool] = True
    has_averages: ClassVar[bool] = True
    gap_formula: ClassVar[str] = "‖Q̄u - y‖/‖u‖"

    @abc.abstractmethod
    def build(self, context: CouplingContext) -> tuple[AbstractCoupling, AbstractCoarseSolver] | None:
        """The jitted and the host's part, or None where there is no coupling."""

    def pairs(self, nodes: float, points: float, dim: int) -> float:
        """About how many pairs of a node and a point its means have."""
        return 0.0

    def trained_gap(self, known: Known) -> float:
        """How far the exact solutions are from what is trained, `gap_formula`, all u_i together, or NaN."""
        return float("nan")

    def gaps(self, known: Known) -> dict[str, float]:
        """Such gaps of averages of its own, by name."""
        return {}

    def reference_fields(self, known: Known) -> tuple[np.ndarray, np.ndarray] | None:
        """Q̄u_i and the coarse states y_i (N, l) of the reference at the nodes of the means."""
        return None


@register("coupling", "none")
@dataclass(frozen=True)
class NoneOptions(CouplingOptions):
    """`coupling=none`: the plain PINN."""

    tau2: ClassVar[float] = 0.0
    share: ClassVar[float | None] = None
    is_there: ClassVar[bool] = False
    needs_upscaling: ClassVar[bool] = False

    def build(self, context: CouplingContext) -> None:
        return None


@register("coupling", "ball")
@dataclass(frozen=True)
class BallOptions(CouplingOptions):
    """`coupling=ball` (`coupling=hybrid` is another name of it): the paper's.

    **Arguments:** `tau2` = τ₂, or a `share`; `delta` = δ, the ball's diameter (paper: eps); `compress_state` averages y
    too, Eq. (2.16) instead of (2.10); `update` = lazy (y every `interval` iterations, if |K̃ - K̃_last| > `threshold`) or
    every_step; `adjoint` = present, p for the means that v has now, or lazy, p of the last update of y; `schedule` of
    τ₂ = constant, or until the residual loss is below `level` times that of v = 0.
    """

    tau2: NonNegative
    share: Positive | None
    delta: Positive
    compress_state: bool
    update: Literal["lazy", "every_step"]
    adjoint: Literal["present", "lazy"]
    interval: Count
    threshold: NonNegative
    schedule: Literal["constant", "until"]
    level: Positive

    def check(self, config: Config) -> None:
        if self.delta >= 1:
            raise ConfigError("coupling.delta", f"{self.delta:g}", "it must be less than the domain's size 1")
        if not config.collocation.even:
            reason = "its means over balls take all points alike: take collocation=resampled, or coupling=consistent"
            raise ConfigError("coupling", f"ball with collocation={config.names['collocation']}", reason)

    def build(self, context: CouplingContext) -> tuple[AbstractCoupling, AbstractCoarseSolver]:
        from hpms.coupling.ball import ball_coupling

        keeps = self.adjoint == "lazy"
        return ball_coupling(context, self.delta, _rule(self), compress_state=self.compress_state, keeps_adjoint=keeps)

    def pairs(self, nodes: float, points: float, dim: int) -> float:
        return nodes * points * min(1.0, self.delta / 2) ** dim

    def trained_gap(self, known: Known) -> float:
        from hpms.coupling import ball

        return ball.gap(known, self.delta)

    def reference_fields(self, known: Known) -> tuple[np.ndarray, np.ndarray]:
        from hpms.coupling import ball

        return ball.ball_fields(known, self.delta)


@register("coupling", "consistent")
@dataclass(frozen=True)
class ConsistentOptions(CouplingOptions):
    """`coupling=consistent`: box means against a coarse state with the network's own boundary data.

    **Arguments:** `tau2` = τ₂, or a `share`. The box has `box_periods` of the coefficient along each axis, or,
    where it declares no periods, the side `delta`; the means are taken at nodes of distance `spacing`, null for those
    of the coarse mesh, whose cells divide it; `points` lattice points per period (or per eps) and axis, 4 to 1000;
    `average` = box, or hat, the mean of the means. `update`, `interval`, `threshold`, `schedule` and `level` as in
    `coupling=ball`.
    """

    tau2: NonNegative
    share: Positive | None
    delta: Positive
    box_periods: Count
    spacing: Width | None
    points: Annotated[int, Bound(least=4, most=1000)]
    average: Literal["box", "hat"]
    update: Literal["lazy", "every_step"]
    interval: Count
    threshold: NonNegative
    schedule: Literal["constant", "until"]
    level: Positive

    def check(self, config: Config) -> None:
        import numpy as np

        if not config.upscaling.is_constant:
            reason = "it averages an equation whose coefficient is constant, and cells have several: take coupling=ball"
            raise ConfigError("coupling", f"consistent with upscaling={config.names['upscaling']}", reason)
        dim, eps, h = config.problem.dim, config.problem.eps, self.spacing or config.coarse.h
        if h < config.coarse.h:
            raise ConfigError("coupling.spacing", f"{h:g}", f"it must be at least coarse.h={config.coarse.h:g}")
        periods = config.coefficient.lengths(dim, eps)
        sides, counts = self.box(periods, dim, eps)
        reach = sides if self.average == "box" else 2 * sides
        if (reach > 1 - 2 * np.maximum(h, sides / counts)).any():
            key, value = ("delta", f"{self.delta:g}") if periods is None else ("box_periods", self.box_periods)
            shape = " x ".join(f"{side:.4g}" for side in reach)
            limit = float((1 - 2 * np.maximum(h, sides / counts)).min())
            reason = f"averages over {shape} do not fit beside nodes of distance {h:g}, sides up to {limit:.3g} do"
            raise ConfigError(f"coupling.{key}", value, reason)
        entries = (1 / h + 1) ** dim * np.prod(counts * (2.0 if self.average == "hat" else 1.0))
        used = np.minimum(counts / sides, (1 / h + 1) * (counts * (2 if self.average == "hat" else 1) + 1))
        if (most := max(entries / _MOST_ENTRIES, np.prod(used) / _MOST_POINTS)) > 1:
            reason = f"its averages would need {most:.1f} times the numbers that are allowed"
            raise ConfigError("coupling.points", self.points, reason)

    def box(self, periods: tuple[float, ...] | None, dim: int, eps: float) -> tuple[np.ndarray, np.ndarray]:
        """Sides of the box (d,), and lattice points along each (d,)."""
        import numpy as np

        if periods is None:
            sides = np.full(dim, self.delta)
            return sides, np.maximum(2, np.ceil(self.points * sides / eps - 1e-9)).astype(int)
        return self.box_periods * np.asarray(periods), np.full(dim, self.points * self.box_periods)

    def build(self, context: CouplingContext) -> tuple[AbstractCoupling, AbstractCoarseSolver]:
        from hpms.coupling.box import box_coupling

        return box_coupling(context, self._average(context.problem), self.spacing, _rule(self))

    def trained_gap(self, known: Known) -> float:
        from hpms.coupling import consistent

        return consistent.trained_gap(self._average(known.problem), self.spacing, known)

    def gaps(self, known: Known) -> dict[str, float]:
        from hpms.coupling import consistent

        return consistent.gaps(self._average(known.problem), self.spacing, known)

    def reference_fields(self, known: Known) -> tuple[np.ndarray, np.ndarray]:
        from hpms.coupling import consistent

        return consistent.reference_fields(self._average(known.problem), self.spacing, known)

    def _average(self, problem: LiftedProblem) -> BoxAverage:
        """Q̄ for the coefficient's periods."""
        from hpms.fem.coarse.box import BoxAverage

        sides, counts = self.box(problem.coefficient.periods, problem.domain.dim, problem.domain.eps)
        return BoxAverage(sides, counts, self.average == "hat")


@register("coupling", "galerkin")
@dataclass(frozen=True)
class GalerkinOptions(CouplingOptions):
    """`coupling=galerkin`: the equation tested with the hats of a coarse mesh, which the exact solution of any medium
    and any conditions fulfils.

    **Arguments:** `tau2` = τ₂, or a `share`; `spacing`, the width H of that mesh, null for `coarse.h`; `periods`,
    lengths along each axis after which the medium about repeats, arithmetic in eps: null takes those of the
    coefficient, or eps where it does so, to a tenth; `points` of the quadrature per period and axis, in boxes of one
    period where these are small beside H, else (and per eps, where nothing repeats) Gauss points, 2 to 1000, null for
    as few as give the means of K and 1/K to 0.4 %. `update`, `interval`, `threshold`, `schedule` and `level` as in
    `coupling=ball`; with `upscaling=none` the norm has a mean of K in place of K̃.
    """

    tau2: NonNegative
    share: Positive | None
    spacing: Width | None
    periods: tuple[Positive, ...] | None
    points: Annotated[int, Bound(least=2, most=1000)] | None
    update: Literal["lazy", "every_step"]
    interval: Count
    threshold: NonNegative
    schedule: Literal["constant", "until"]
    level: Positive
    needs_upscaling: ClassVar[bool] = False
    has_averages: ClassVar[bool] = False
    gap_formula: ClassVar[str] = "‖r(u)‖/‖r(0)‖"

    def check(self, config: Config) -> None:
        dim, h = config.problem.dim, self.spacing or config.coarse.h
        if self.periods is not None and len(self.periods) != dim:
            raise ConfigError("coupling.periods", list(self.periods), f"give {dim} lengths, one per axis")
        sides = config.problem.lengths
        for length, side in zip(self.periods or (), sides, strict=False):
            if length > side:
                raise ConfigError("coupling.periods", list(self.periods or ()), f"none may exceed its side {side:g}")
        most = _MOST_ROWS // config.law.components(dim)
        if (nodes := config.problem.hats(h, config.upscaling.multiple(dim))) > most:
            key, value = ("coarse.h", h) if self.spacing is None else ("coupling.spacing", self.spacing)
            reason = f"its mesh has {nodes:,} nodes, and a dense matrix of the coupling allows {most:,}"
            raise ConfigError(key, f"{value:g}", reason)

    def build(self, context: CouplingContext) -> tuple[AbstractCoupling, AbstractCoarseSolver]:
        from hpms.coupling.galerkin import galerkin_coupling

        form = self._form(context.problem, context.space.h, context.upscaling.cells)
        return galerkin_coupling(context, form, _rule(self))

    def trained_gap(self, known: Known) -> float:
        from hpms.coupling import weak

        cells = known.upscaling.cells_along(known.problem.domain.dim)
        return weak.gap(self._form(known.problem, known.space.h, cells), known)

    def _form(self, problem: LiftedProblem, h: float, cells: tuple[int, ...]) -> AbstractWeakForm:
        from hpms.coupling.weak_box import BoxWeakForm
        from hpms.coupling.weak_elastic import ElasticWeakForm
        from hpms.coupling.weak_mesh import MeshWeakForm
        from hpms.problem.meshed import AbstractMeshed

        width, domain = self.spacing or h, problem.domain
        if isinstance(domain, AbstractMeshed):
            return MeshWeakForm(problem, domain.meshed(width), self.points)
        if problem.law.components > 1:
            return ElasticWeakForm(problem, width, self.periods, self.points)
        return BoxWeakForm(problem, width, self.periods, self.points, math.lcm(*cells))


def _rule(options: BallOptions | ConsistentOptions | GalerkinOptions) -> UpdateRule:
    """The rule of the keys `update`, `interval`, `threshold`, `schedule` and `level`."""
    from hpms.coupling.lazy import UpdateRule
    from hpms.coupling.schedule import Schedule

    schedule, is_lazy = Schedule(options.schedule, options.level), options.update == "lazy"
    return UpdateRule(options.interval, options.threshold, schedule) if is_lazy else UpdateRule(1, -1.0, schedule)
