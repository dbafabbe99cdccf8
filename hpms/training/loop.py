"""Algorithm 3.1: compiled chunks of iterations, and between them the coarse update, balancing, logging, checkpoints."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from hpms.coupling.base import AbstractCoarseSide, CoarseRecord, CouplingState
from hpms.coupling.upscaling import isotropic
from hpms.training.limits import Limits
from hpms.training.objective import COUPLING, RESIDUAL, Objective
from hpms.training.optimizer.base import AbstractOptimizer
from hpms.training.snapshot import Best, Recorder, Snapshot
from hpms.training.state import ChunkReport, TrainState, evaluate, gradient_norms, run_chunk
from hpms.training.validation import Validation, relative_errors

_RESPONSE_SECONDS = 0.5  # how long a chunk may keep Ctrl-C, the wall limit and the progress bar waiting
RUNNING, FINISHED, INTERRUPTED, NAN = "running", "finished", "interrupted", "nan"


@dataclass(frozen=True)
class Outcome:
    """How training ended: `status` is finished, interrupted or nan, and `reason` says why in words."""

    snapshot: Snapshot
    status: str
    reason: str


class Trainer:
    """Trains θ on an objective.

    At an iteration that several intervals divide, the coarse update comes first, then balancing, then the log. What is
    computed depends on the iteration alone, not on how long a chunk was or on where a run was interrupted.
    """

    def __init__(
        self,
        *,
        objective: Objective,
        optimizer: AbstractOptimizer,
        balancing: Any,
        coarse: AbstractCoarseSide | None,
        validation: Validation,
        limits: Limits,
        taus: np.ndarray,
        dim: int,
    ):
        self.objective, self.optimizer, self.balancing, self.coarse = objective, optimizer, balancing, coarse
        self.validation, self.limits, self.taus, self.dim = validation, limits, taus, dim

    def start(self, theta: Array) -> Snapshot:
        """Before the first iteration."""
        weights = jnp.ones(len(self.objective.names), theta.dtype)
        state = TrainState(theta, self.optimizer.init(theta), weights, jnp.zeros((), jnp.int32))
        return Snapshot(state, self.coarse.initial() if self.coarse else None, None, 0.0, 0.0, fresh=True)

    def run(self, snapshot: Snapshot, recorder: Recorder, interrupted: Callable[[], str | None]) -> Outcome:
        """Goes on from `snapshot` until a limit is met or `interrupted()` names a reason to stop."""
        session = _Session(self, snapshot, recorder)
        session.compile()
        started = saved = time.perf_counter()
        if snapshot.fresh:
            session.visit()
        recorder.save(session.snapshot())
        speed, good = _Speed(), session.state
        while (iteration := session.iteration) < self.limits.iterations:
            began = time.perf_counter()
            report = session.advance(speed.allowed(self._next_visit(iteration) - iteration))
            now = time.perf_counter()
            speed.note(session.iteration - iteration, now - began)
            if not report.finite:
                session.state = report.good if session.iteration > iteration else good
                return session.end(NAN, self._broken(report))
            good = report.good
            if report.converged:
                session.log()
                return session.end(FINISHED, f"the residual loss is below training.tolerance={self.limits.tolerance:g}")
            if report.stalled:
                session.log()
                return session.end(FINISHED, self.optimizer.stall)
            session.visit()
            recorder.advance(session.iteration)
            if session.iteration < self.limits.iterations:
                if reason := interrupted():
                    return session.end(INTERRUPTED, reason)
                if self.limits.wall_limit is not None and now - started >= self.limits.wall_limit:
                    reason = f"training.wall_limit={self.limits.wall_limit:g} seconds is reached"
                    return session.end(INTERRUPTED, reason)
            if now - saved >= self.limits.checkpoint_seconds:
                recorder.save(session.snapshot())
                saved = time.perf_counter()
        return session.end(FINISHED, f"all {self.limits.iterations} iterations are done")

    def _next_visit(self, iteration: int) -> int:
        intervals = [self.limits.log_every, self.balancing.interval, self.coarse and self.coarse.interval]
        visits = [(iteration // every + 1) * every for every in intervals if every]
        return min([*visits, self.limits.iterations])

    def _broken(self, report: ChunkReport) -> str:
        terms = zip(self.objective.names, np.asarray(report.terms), strict=True)
        bad = [name for name, value in terms if not np.isfinite(value)]
        return f"the {' and the '.join(bad)} term is not finite" if bad else "the gradient is not finite"


def _is_due(iteration: int, interval: int | None) -> bool:
    """Whether something that happens every `interval` iterations happens now."""
    return interval is not None and iteration % interval == 0


class _Speed:
    """How many iterations fit the response time, from the last chunk."""

    def __init__(self) -> None:
        self._per_iteration: float | None = None

    def allowed(self, ahead: int) -> int:
        if self._per_iteration is None:
            return 1
        return max(1, min(ahead, int(_RESPONSE_SECONDS / max(self._per_iteration, 1e-9))))

    def note(self, count: int, seconds: float) -> None:
        if count > 0:
            self._per_iteration = seconds / count


class _Session:
    """The state of one call of `Trainer.run`."""

    def __init__(self, trainer: Trainer, snapshot: Snapshot, recorder: Recorder):
        self.trainer, self.recorder = trainer, recorder
        self.state, self.coarse, self.best = snapshot.state, snapshot.coarse, snapshot.best
        self._before, self.compiling = snapshot.elapsed, snapshot.compiling
        self._clock = time.perf_counter()
        self.coupling_state = self._coupling_state()
        self._logged = -1
        dtype = self.state.theta.dtype
        self._taus = jnp.asarray(trainer.taus, dtype)
        self._tolerance = jnp.asarray(trainer.limits.tolerance, dtype)

    def compile(self) -> None:
        """Compiles everything; its time is counted apart."""
        start = time.perf_counter()
        trainer, theta = self.trainer, self.state.theta
        jax.block_until_ready(
            (
                self.advance(0).terms,
                evaluate(trainer.objective, theta, self.coupling_state),
                gradient_norms(trainer.objective, theta, self.coupling_state),
                relative_errors(trainer.validation, trainer.objective.model, theta),
            )
        )
        seconds = time.perf_counter() - start
        self.compiling += seconds
        self._clock += seconds

    @property
    def iteration(self) -> int:
        return int(self.state.iteration)

    def elapsed(self) -> float:
        return self._before + time.perf_counter() - self._clock

    def snapshot(self) -> Snapshot:
        return Snapshot(self.state, self.coarse, self.best, self.elapsed(), self.compiling)

    def end(self, status: str, reason: str) -> Outcome:
        return Outcome(self.snapshot(), status, reason)

    def advance(self, count: int) -> ChunkReport:
        self.state, report = run_chunk(
            self.trainer.objective,
            self.trainer.optimizer,
            self._taus,
            self._tolerance,
            self.state,
            self.coupling_state,
            jnp.asarray(count, jnp.int32),
        )
        return report

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

    def _coupling_state(self) -> CouplingState | None:
        if self.trainer.coarse is None or self.coarse is None:
            return None
        return self.trainer.coarse.state(self.coarse)

    def _update_coarse(self, side: AbstractCoarseSide) -> None:
        assert self.coarse is not None
        found = evaluate(self.trainer.objective, self.state.theta, self.coupling_state)
        relative = float(found.terms[0] / self.trainer.objective.trivial_loss)
        self.coarse, strength = side.scheduled(self.coarse, self.iteration, relative), self.coarse.strength
        if self.coarse.strength != strength:
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
        row["upscaled_coefficient"] = np.asarray(isotropic(found.mean_flux, trainer.dim), np.float64).tolist()
        record: CoarseRecord | None = self.coarse
        row["coarse_updates"] = record.updates if record else 0
        row["coarse_rejections"] = record.rejections if record else 0
        row |= trainer.optimizer.metrics(state.optimizer, iteration)
        row["relative_l2"], row["relative_h1"] = float(l2), float(h1)
        row["elapsed_seconds"], row["compile_seconds"] = self.elapsed(), self.compiling
        if np.isfinite(row[RESIDUAL]) and (self.best is None or row[RESIDUAL] < self.best.residual):
            self.best = Best(np.asarray(state.theta), iteration, row[RESIDUAL])
        self._logged = iteration
        self.recorder.log(row)
