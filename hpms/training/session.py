"""One run between its start, or its last checkpoint, and its end: what the host does between compiled chunks."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from hpms.coupling.base import AbstractCoarseSolver, CoarseView
from hpms.machine.devices import on_all
from hpms.machine.processes import decided
from hpms.training.loss import COUPLING
from hpms.training.rest import trivial_loss
from hpms.training.snapshot import Best, Recorder, Snapshot
from hpms.training.state import ChunkReport, evaluate, gradient_norms, misfit
from hpms.training.term.residual import RESIDUAL
from hpms.training.trainer import Trainer
from hpms.training.validation import relative_errors

RUNNING, FINISHED, INTERRUPTED, NAN, DIVERGED = "running", "finished", "interrupted", "nan", "diverged"
ENDED = (FINISHED, NAN, DIVERGED)
_ROUNDING = 1e-20  # of J_res
_JUMP = 10.0  # times the least residual loss, from which on a run is told of it

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How training ended: `status` is finished, interrupted, nan or diverged, and `reason` says why in words."""

    snapshot: Snapshot
    status: str
    reason: str


class Session:
    """The changing parts of one call: the state, the coarse record, the best iteration, the clock.

    At an iteration that several intervals divide, the coarse update comes first, then balancing, then the log. What is
    computed depends on the iteration alone, not on how long a chunk was or on where a run was interrupted.
    """

    def __init__(self, trainer: Trainer, snapshot: Snapshot, recorder: Recorder):
        self.trainer, self.recorder = trainer, recorder
        self.loss, self._validation = on_all((trainer.loss, trainer.validation))
        self.state, self.record, self.best = snapshot.state, snapshot.record, snapshot.best
        self._fresh, self._before, self.compiling = snapshot.fresh, snapshot.elapsed, snapshot.compiling
        self._clock = time.perf_counter()
        self.view = self._view()
        intervals = trainer.limits.log_every, trainer.limits.bounds
        logged = not snapshot.fresh and any(_is_due(self.iteration, each) for each in intervals)
        self._logged = self.iteration if logged else -1
        self._misfit = math.inf
        self._jumped, self._diverged, self._reached = False, "", ""
        dtype = self.state.theta.dtype
        self.taus = jnp.asarray(trainer.taus, dtype)
        self.tolerance = jnp.asarray(0.0 if trainer.is_fresh else trainer.limits.tolerance, dtype)

    def compile(self) -> None:
        """Compiles what the visits call."""
        theta = self.state.theta
        jax.block_until_ready(
            (
                evaluate(self.loss, theta, self.view),
                gradient_norms(self.loss, theta, self.view),
                self._validation and relative_errors(self._validation, self.loss.model, theta),
            )
        )

    def compiled(self, seconds: float) -> None:
        """Takes the time of a compilation out of the run's own."""
        self.compiling += seconds
        self._clock += seconds

    def begin(self) -> None:
        """What is due before the first chunk."""
        self._started = time.perf_counter()
        if self._fresh:
            self.visit()
        self.recorder.save(self.snapshot())
        self._saved, self._good, self._at = self._started, self.state, self.iteration

    def next_count(self) -> int:
        """How many iterations there are to the next visit; 0 behind the last."""
        trainer = self.trainer
        intervals = [trainer.limits.log_every, trainer.balancing.interval, trainer.limits.bounds]
        intervals.append(trainer.solver and trainer.solver.interval)
        visits = [(self.iteration // every + 1) * every for every in intervals if every]
        return min([*visits, trainer.limits.iterations]) - self.iteration

    def receive(self, report: ChunkReport, interrupted: Callable[[], str | None]) -> Outcome | None:
        """Takes the report of a chunk of `next_count` iterations or fewer, when `state` is behind it.

        The outcome, where a limit is met or `interrupted()` names a reason to stop; else None.
        """
        limits, now = self.trainer.limits, time.perf_counter()
        if not report.finite:
            self.state = report.good if self.iteration > self._at else self._good
            return self._end(NAN, self._broken(report))
        self._good, self._at = report.good, self.iteration
        converged = f"the residual loss is below training.tolerance={limits.tolerance:g}"
        if report.converged:
            self.log()
            return self._end(FINISHED, converged)
        if report.stalled:
            self.log()
            stall = (FINISHED, self.trainer.optimizer.stall)
            return self._end(*((DIVERGED, self._diverged) if self._diverged else stall))
        self.visit()
        self.recorder.advance(self.iteration)
        if self._reached:
            return self._end(FINISHED, self._reached)
        if self._diverged:
            return self._end(DIVERGED, self._diverged)
        if self.trainer.is_fresh and self._logged == self.iteration and self._misfit < limits.tolerance:
            return self._end(FINISHED, converged)
        if self.iteration < limits.iterations and (reason := decided(lambda: interrupted() or self._late(now))):
            return self._end(INTERRUPTED, reason)
        if now - self._saved >= limits.checkpoint_seconds:
            self.recorder.save(self.snapshot())
            self._saved = time.perf_counter()
        return self.outcome()

    def _late(self, now: float) -> str | None:
        limit = self.trainer.limits.wall_limit
        if limit is None or now - self._started < limit:
            return None
        return f"training.wall_limit={limit:g} seconds is reached"

    def outcome(self) -> Outcome | None:
        """The outcome of a run all of whose iterations are done, or whose accuracy is reached; else None."""
        limits = self.trainer.limits
        if self._reached:
            return self._end(FINISHED, self._reached)
        if self.iteration < limits.iterations:
            return None
        return self._end(FINISHED, f"all {limits.iterations} iterations are done")

    @property
    def iteration(self) -> int:
        return int(self.state.iteration)

    def elapsed(self) -> float:
        return self._before + time.perf_counter() - self._clock

    def snapshot(self) -> Snapshot:
        return Snapshot(self.state, self.record, self.best, self.elapsed(), self.compiling)

    def _end(self, status: str, reason: str) -> Outcome:
        return Outcome(self.snapshot(), status, reason)

    def visit(self) -> None:
        """What is due at this iteration."""
        trainer, iteration = self.trainer, self.iteration
        if trainer.solver is not None and _is_due(iteration, trainer.solver.interval):
            self._update_coarse(trainer.solver)
        balance = iteration > 0 and _is_due(iteration, trainer.balancing.interval)
        log = iteration == trainer.limits.iterations or _is_due(iteration, trainer.limits.log_every)
        log = log or _is_due(iteration, trainer.limits.bounds)
        if not (balance or log):
            return
        norms, share = gradient_norms(self.loss, self.state.theta, self.view)
        if balance:
            weights = trainer.balancing.update(np.asarray(self.state.weights), np.asarray(norms))
            self.state = replace(self.state, weights=jnp.asarray(weights, self.state.weights.dtype))
            self._renew()
        if log:
            self._log(np.asarray(norms), float(share))

    def log(self) -> None:
        """Logs an iteration that no interval divides."""
        if self.iteration != self._logged:
            norms, share = gradient_norms(self.loss, self.state.theta, self.view)
            self._log(np.asarray(norms), float(share))

    @cached_property
    def _trivial_loss(self) -> float:
        return trivial_loss(self.trainer.loss)

    def _view(self) -> CoarseView | None:
        if self.trainer.solver is None or self.record is None:
            return None
        return self.trainer.solver.view(self.record)

    def _update_coarse(self, solver: AbstractCoarseSolver) -> None:
        assert self.record is not None
        found = evaluate(self.loss, self.state.theta, self.view)
        trivial = self._trivial_loss
        relative = float(found.terms[0]) / trivial if trivial > 0 else math.inf
        self.record, before = solver.scheduled(self.record, relative), self.record
        if solver.is_due(self.record, np.asarray(found.kappa, np.float64)):
            self.record = solver.update(self.record, found)
        if self.record is not before:
            self.view = self._view()
            self._renew()

    def _renew(self) -> None:
        renewed = self.trainer.optimizer.renew(self.state.theta, self.state.optimizer)
        self.state = replace(self.state, optimizer=renewed)

    def _log(self, norms: np.ndarray, share: float) -> None:
        trainer, state = self.trainer, self.state
        found = evaluate(self.loss, state.theta, self.view)
        iteration, weights = self.iteration, np.asarray(state.weights, np.float64)
        terms = np.asarray(found.terms, np.float64)
        row: dict[str, Any] = {"iteration": iteration}
        strength = {COUPLING: self.record.strength if self.record else 1.0}
        factors = np.array([strength.get(name, 1.0) for name in trainer.loss.names])
        weighted = trainer.taus * weights * factors * terms
        self._misfit = float(misfit(trainer.loss, trainer.taus, terms))
        row["loss"] = float(weighted.sum())
        for i, name in enumerate(trainer.loss.names):
            row[name] = float(terms[i])
            row[f"weighted_{name}"] = float(weighted[i])
            row[f"weight_{name}"] = float(weights[i])
            row[f"gradient_norm_{name}"] = float(norms[i])
        if COUPLING in trainer.loss.names:
            row["adjoint_share"] = share
            row["coupling_strength"] = strength[COUPLING]
        if found.kappa.size:
            row["upscaled_coefficient"] = trainer.loss.upscaling.tensors(np.asarray(found.kappa, np.float64)).tolist()
        row["coarse_updates"] = self.record.updates if self.record else 0
        row["coarse_rejections"] = self.record.rejections if self.record else 0
        row |= trainer.optimizer.metrics(state.optimizer, iteration)
        if self._validation is not None:
            row |= relative_errors(self._validation, self.loss.model, state.theta).named()
        if trainer.limits.bounds is not None:
            row |= self._bounded()
        row["elapsed_seconds"], row["compile_seconds"] = self.elapsed(), self.compiling
        measure = self._measure(row)
        self._watch(measure)
        is_least = np.isfinite(measure) and (self.best is None or measure < self.best.residual)
        if is_least or self._reached:
            self.best = Best(np.asarray(state.theta), iteration, measure)
        self._logged = iteration
        self.recorder.log(row)

    def _measure(self, row: Mapping[str, Any]) -> float:
        """The residual loss; where v = 0 has none, as without sources, it says nothing alone: the whole loss."""
        return row[RESIDUAL] if self._trivial_loss > _ROUNDING else row["loss"]

    def _bounded(self) -> dict[str, float]:
        """The bound of the error where it is due, and whether it is no estimate, else NaN."""
        limits = self.trainer.limits
        if self.iteration == 0 or not _is_due(self.iteration, limits.bounds):
            return dict.fromkeys(("error_bound", "relative_error_bound", "error_bound_resolved"), math.nan)
        goal = limits.accuracy
        found = self.trainer.bound(self.state.theta, goal)
        if goal is not None and decided(lambda: found.is_bound and found.relative <= goal):
            self._reached = (
                f"the bound of the relative energy error, {found.relative:.3g}, is at most training.accuracy={goal:g}"
            )
        is_bound = float(found.is_bound)
        return {"error_bound": found.energy, "relative_error_bound": found.relative, "error_bound_resolved": is_bound}

    def _watch(self, residual: float) -> None:
        """Tells of a residual loss far above the least one; a run that is also worse than v = 0 has diverged.

        With fresh points the residual at fixed ones varies by such factors, and there is no line; the end still holds.
        """
        if self.best is None or self.best.residual == 0:
            return
        least, limit = self.best.residual, self.trainer.limits.divergence
        found = f"the residual loss of iteration {self.iteration}, {residual:.3g}, is {residual / least:.3g} times "
        found += f"its least, {least:.3g} of iteration {self.best.iteration}"
        jumped = residual > _JUMP * least and not self.trainer.is_fresh
        if jumped and not self._jumped:
            log.warning("%s", found)
        self._jumped = jumped
        if limit is not None and residual > limit * least and residual > self._trivial_loss:
            self._diverged = f"{found}: more than training.divergence={limit:g} allows, and more than v = 0 has"

    def _broken(self, report: ChunkReport) -> str:
        terms = zip(self.trainer.loss.names, np.asarray(report.terms), strict=True)
        bad = [name for name, value in terms if not np.isfinite(value)]
        if not bad:
            return "the gradient is not finite"
        return f"the {' and the '.join(bad)} {'term is' if len(bad) == 1 else 'terms are'} not finite"


def _is_due(iteration: int, interval: int | None) -> bool:
    """Whether something that happens every `interval` iterations happens now."""
    return interval is not None and iteration % interval == 0
