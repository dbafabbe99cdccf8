"""One run between its start, or its last checkpoint, and its end: what the host does between compiled chunks."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from hpms.coupling.base import AbstractCoarseSide, AbstractCouplingState
from hpms.coupling.upscaling import isotropic
from hpms.options.balancing import BalancingOptions
from hpms.options.training import TrainingOptions
from hpms.training.objective import COUPLING, RESIDUAL, Objective
from hpms.training.optimizer.base import AbstractOptimizer
from hpms.training.snapshot import Best, Recorder, Snapshot
from hpms.training.state import ChunkReport, TrainState, evaluate, gradient_norms
from hpms.training.validation import Validation, relative_errors

RUNNING, FINISHED, INTERRUPTED, NAN = "running", "finished", "interrupted", "nan"


@dataclass(frozen=True)
class Outcome:
    """How training ended: `status` is finished, interrupted or nan, and `reason` says why in words."""

    snapshot: Snapshot
    status: str
    reason: str


@dataclass(frozen=True)
class Trainer:
    """What a run trains and with what; `taus` are the weights τ_k, `dim` is d."""

    objective: Objective
    optimizer: AbstractOptimizer
    balancing: BalancingOptions
    coarse: AbstractCoarseSide | None
    validation: Validation
    limits: TrainingOptions
    taus: np.ndarray
    dim: int

    def start(self, theta: Array) -> Snapshot:
        """Before the first iteration."""
        weights = jnp.ones(len(self.objective.names), theta.dtype)
        state = TrainState(theta, self.optimizer.init(theta), weights, jnp.zeros((), jnp.int32))
        return Snapshot(state, self.coarse.initial() if self.coarse else None, None, 0.0, 0.0, fresh=True)


class Session:
    """The changing parts of one call: the state, the coarse record, the best iteration, the clock.

    At an iteration that several intervals divide, the coarse update comes first, then balancing, then the log. What is
    computed depends on the iteration alone, not on how long a chunk was or on where a run was interrupted.
    """

    def __init__(self, trainer: Trainer, snapshot: Snapshot, recorder: Recorder):
        self.trainer, self.recorder = trainer, recorder
        self.state, self.coarse, self.best = snapshot.state, snapshot.coarse, snapshot.best
        self._fresh, self._before, self.compiling = snapshot.fresh, snapshot.elapsed, snapshot.compiling
        self._clock = time.perf_counter()
        self.coupling_state = self._coupling_state()
        logged = not snapshot.fresh and _is_due(self.iteration, trainer.limits.log_every)
        self._logged = self.iteration if logged else -1
        dtype = self.state.theta.dtype
        self.taus = jnp.asarray(trainer.taus, dtype)
        self.tolerance = jnp.asarray(trainer.limits.tolerance, dtype)

    def compile(self) -> None:
        """Compiles what the visits call."""
        trainer, theta = self.trainer, self.state.theta
        jax.block_until_ready(
            (
                evaluate(trainer.objective, theta, self.coupling_state),
                gradient_norms(trainer.objective, theta, self.coupling_state),
                relative_errors(trainer.validation, trainer.objective.model, theta),
            )
        )

    def compiled(self, seconds: float) -> None:
        """Takes the time of a compilation out of the run's own."""
        self.compiling += seconds
        self._clock += seconds

    def course(self, interrupted: Callable[[], str | None]) -> Generator[int, ChunkReport, Outcome]:
        """The run as a coroutine: it yields how many iterations there are to the next visit, and is sent the report of
        the chunk that was made of them, or of fewer, when `state` is behind it.

        It goes on until a limit is met or `interrupted()` names a reason to stop.
        """
        limits, started = self.trainer.limits, time.perf_counter()
        if self._fresh:
            self.visit()
        self.recorder.save(self.snapshot())
        saved, good = started, self.state
        while (iteration := self.iteration) < limits.iterations:
            report = yield self._next_visit() - iteration
            now = time.perf_counter()
            if not report.finite:
                self.state = report.good if self.iteration > iteration else good
                return self._end(NAN, self._broken(report))
            good = report.good
            if report.converged:
                self.log()
                return self._end(FINISHED, f"the residual loss is below training.tolerance={limits.tolerance:g}")
            if report.stalled:
                self.log()
                return self._end(FINISHED, self.trainer.optimizer.stall)
            self.visit()
            self.recorder.advance(self.iteration)
            if self.iteration < limits.iterations:
                if reason := interrupted():
                    return self._end(INTERRUPTED, reason)
                if limits.wall_limit is not None and now - started >= limits.wall_limit:
                    reason = f"training.wall_limit={limits.wall_limit:g} seconds is reached"
                    return self._end(INTERRUPTED, reason)
            if now - saved >= limits.checkpoint_seconds:
                self.recorder.save(self.snapshot())
                saved = time.perf_counter()
        return self._end(FINISHED, f"all {limits.iterations} iterations are done")

    @property
    def iteration(self) -> int:
        return int(self.state.iteration)

    def elapsed(self) -> float:
        return self._before + time.perf_counter() - self._clock

    def snapshot(self) -> Snapshot:
        return Snapshot(self.state, self.coarse, self.best, self.elapsed(), self.compiling)

    def _end(self, status: str, reason: str) -> Outcome:
        return Outcome(self.snapshot(), status, reason)

    def visit(self) -> None:
        """What is due at this iteration."""
        trainer, iteration = self.trainer, self.iteration
        if trainer.coarse is not None and _is_due(iteration, trainer.coarse.interval):
            self._update_coarse(trainer.coarse)
        balance = iteration > 0 and _is_due(iteration, trainer.balancing.interval)
        log = iteration == trainer.limits.iterations or _is_due(iteration, trainer.limits.log_every)
        if not (balance or log):
            return
        norms, share = gradient_norms(trainer.objective, self.state.theta, self.coupling_state)
        if balance:
            weights = trainer.balancing.update(np.asarray(self.state.weights), np.asarray(norms))
            self.state = replace(self.state, weights=jnp.asarray(weights, self.state.weights.dtype))
            self._renew()
        if log:
            self._log(np.asarray(norms), float(share))

    def log(self) -> None:
        """Logs an iteration that no interval divides."""
        if self.iteration != self._logged:
            norms, share = gradient_norms(self.trainer.objective, self.state.theta, self.coupling_state)
            self._log(np.asarray(norms), float(share))

    @cached_property
    def _trivial_loss(self) -> float:
        return float(self.trainer.objective.trivial_loss)

    def _coupling_state(self) -> AbstractCouplingState | None:
        if self.trainer.coarse is None or self.coarse is None:
            return None
        return self.trainer.coarse.state(self.coarse)

    def _update_coarse(self, side: AbstractCoarseSide) -> None:
        assert self.coarse is not None
        found = evaluate(self.trainer.objective, self.state.theta, self.coupling_state)
        relative = float(found.terms[0]) / self._trivial_loss
        self.coarse, before = side.scheduled(self.coarse, self.iteration, relative), self.coarse
        if self.coarse is not before:
            self.coupling_state = self._coupling_state()
            self._renew()
        upscaled = np.asarray(isotropic(found.mean_flux, self.trainer.dim), np.float64)
        if side.is_due(self.coarse, upscaled):
            self.coarse = side.update(self.coarse, upscaled, np.asarray(found.means, np.float64))
            self.coupling_state = self._coupling_state()
            self._renew()

    def _renew(self) -> None:
        renewed = self.trainer.optimizer.renew(self.state.theta, self.state.optimizer)
        self.state = replace(self.state, optimizer=renewed)

    def _log(self, norms: np.ndarray, share: float) -> None:
        trainer, state = self.trainer, self.state
        found = evaluate(trainer.objective, state.theta, self.coupling_state)
        l2, h1 = relative_errors(trainer.validation, trainer.objective.model, state.theta)
        iteration, weights = self.iteration, np.asarray(state.weights, np.float64)
        terms = np.asarray(found.terms, np.float64)
        row: dict[str, Any] = {"iteration": iteration}
        strength = {COUPLING: self.coarse.strength if self.coarse else 1.0}
        factors = np.array([strength.get(name, 1.0) for name in trainer.objective.names])
        weighted = trainer.taus * weights * factors * terms
        row["loss"] = float(weighted.sum())
        for i, name in enumerate(trainer.objective.names):
            row[name] = float(terms[i])
            row[f"weighted_{name}"] = float(weighted[i])
            row[f"weight_{name}"] = float(weights[i])
            row[f"gradient_norm_{name}"] = float(norms[i])
        if COUPLING in trainer.objective.names:
            row["adjoint_share"] = share
            row["coupling_strength"] = strength[COUPLING]
            row["coupling_stage"] = self.coarse.stage
        row["upscaled_coefficient"] = np.asarray(isotropic(found.mean_flux, trainer.dim), np.float64).tolist()
        row["coarse_updates"] = self.coarse.updates if self.coarse else 0
        row["coarse_rejections"] = self.coarse.rejections if self.coarse else 0
        row |= trainer.optimizer.metrics(state.optimizer, iteration)
        row["relative_l2"], row["relative_h1"] = float(l2), float(h1)
        row["elapsed_seconds"], row["compile_seconds"] = self.elapsed(), self.compiling
        if np.isfinite(row[RESIDUAL]) and (self.best is None or row[RESIDUAL] < self.best.residual):
            self.best = Best(np.asarray(state.theta), iteration, row[RESIDUAL])
        self._logged = iteration
        self.recorder.log(row)

    def _next_visit(self) -> int:
        trainer = self.trainer
        intervals = [trainer.limits.log_every, trainer.balancing.interval, trainer.coarse and trainer.coarse.interval]
        visits = [(self.iteration // every + 1) * every for every in intervals if every]
        return min([*visits, trainer.limits.iterations])

    def _broken(self, report: ChunkReport) -> str:
        terms = zip(self.trainer.objective.names, np.asarray(report.terms), strict=True)
        bad = [name for name, value in terms if not np.isfinite(value)]
        return f"the {' and the '.join(bad)} term is not finite" if bad else "the gradient is not finite"


def _is_due(iteration: int, interval: int | None) -> bool:
    """Whether something that happens every `interval` iterations happens now."""
    return interval is not None and iteration % interval == 0
