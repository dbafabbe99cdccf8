"""The coarse side with the lazy rule of Algorithm 3.1."""

import abc
from dataclasses import dataclass, replace
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hpms.coupling.base import AbstractCoarseSide, CoarseRecord, CouplingState
from hpms.coupling.schedule import Schedule
from hpms.fem.coarse.problem import CoarseProblem


@dataclass(frozen=True)
class UpdateRule:
    """Every `interval` iterations y and p are renewed if |K̃ - K̃_last| > `threshold`; and the weight's schedule."""

    interval: int
    threshold: float
    schedule: Schedule

    @classmethod
    def of(
        cls, update: Literal["lazy", "every_step"], interval: int, threshold: float, schedule: Schedule
    ) -> "UpdateRule":
        """The rule of the options of these names."""
        return cls(interval, threshold, schedule) if update == "lazy" else cls(1, -1.0, schedule)


@dataclass(frozen=True)
class CoarseSolution:
    """y, p, what the means are compared with, p^T A^{ab} y (d, d), and the target's derivative in the mean flux."""

    y: Float[np.ndarray, " n"]
    p: Float[np.ndarray, " n"]
    target: Float[np.ndarray, " n"]
    contraction: Float[np.ndarray, "d d"]
    sensitivity: Float[np.ndarray, " n"]


class LazyCoarseSide(AbstractCoarseSide):
    """Keeps the last record until K̃ has moved; what is computed then is `solve`'s."""

    def __init__(self, problem: CoarseProblem, rule: UpdateRule, dtype: jnp.dtype):
        self.problem, self.rule, self.dtype = problem, rule, dtype
        self.interval, self.nodes = rule.interval, problem.space.nodes

    @abc.abstractmethod
    def solve(self, upscaled: np.ndarray, means: np.ndarray) -> CoarseSolution:
        """The coarse side for an admissible K̃ (d, d) and the means (N,); p belongs to the unweighted term."""

    def initial(self) -> CoarseRecord:
        count, dim = self.nodes.shape
        zero = np.zeros(count)
        nothing, unknown = np.zeros((dim, dim)), np.full((dim, dim), np.nan)
        return CoarseRecord(zero, zero, zero, nothing, unknown, False, zero, 1.0, 0, 0)

    def scheduled(self, record: CoarseRecord, iteration: int, relative_residual: float) -> CoarseRecord:
        strength = self.rule.schedule.strength(record.strength, iteration, relative_residual)
        return record if strength == record.strength else replace(record, strength=strength)

    def is_due(self, record: CoarseRecord, upscaled: np.ndarray) -> bool:
        if record.strength == 0:
            return False
        change = np.abs(upscaled - record.upscaled).max()
        return not change <= self.rule.threshold or not self.problem.is_admissible(upscaled)

    def update(self, record: CoarseRecord, upscaled: np.ndarray, means: np.ndarray) -> CoarseRecord:
        if not self.problem.is_admissible(upscaled):
            nothing = np.zeros_like(record.p)
            return replace(
                record,
                p=nothing,
                contraction=np.zeros_like(record.contraction),
                sensitivity=nothing,
                upscaled=np.full_like(upscaled, np.nan),
                rejections=record.rejections + 1,
            )
        found = self.solve(upscaled, means)
        return replace(
            record,
            y=found.y,
            p=found.p,
            target=found.target,
            contraction=found.contraction,
            upscaled=upscaled,
            active=True,
            sensitivity=found.sensitivity,
            updates=record.updates + 1,
        )

    def state(self, record: CoarseRecord) -> CouplingState:
        return CouplingState(
            target=jnp.asarray(record.target, self.dtype),
            contraction=jnp.asarray(record.contraction, self.dtype),
            active=jnp.asarray(float(record.active), self.dtype),
            sensitivity=jnp.asarray(record.sensitivity, self.dtype),
            mean_flux=jnp.asarray(np.nan_to_num(record.upscaled[0, 0]), self.dtype),
            strength=jnp.asarray(record.strength, self.dtype),
        )
