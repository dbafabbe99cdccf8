"""The coarse solver with the lazy rule of Section 4.4."""

import abc
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from hpms.coupling.base import AbstractCoarseSolver, CoarseRecord, CoarseView, Upscaled
from hpms.coupling.schedule import Schedule
from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.fem.coarse.problem import CoarseProblem


@dataclass(frozen=True)
class UpdateRule:
    """Every `interval` iterations y and p are renewed if |κ - κ_last| > `threshold`; and the weight's schedule."""

    interval: int
    threshold: float
    schedule: Schedule


@dataclass(frozen=True)
class CoarseSolution:
    """y, p, what the means are compared with and its derivative in κ, and Σ_i p_i^T A_k w_i."""

    y: Float[np.ndarray, "n l"]
    p: Float[np.ndarray, "n l"]
    target: Float[np.ndarray, "n l"]
    sensitivity: Float[np.ndarray, "n l p"]
    contraction: Float[np.ndarray, " p"]


class LazyCoarseSolver(AbstractCoarseSolver):
    """Keeps the last record until κ has moved; what is computed then is `solve`'s."""

    def __init__(self, problem: CoarseProblem, upscaling: AbstractUpscaling, rule: UpdateRule, dtype: jnp.dtype):
        self.problem, self.rule, self.dtype = problem, rule, dtype
        self.interval, self.nodes, self.columns = rule.interval, problem.space.nodes, upscaling.lifts
        self.upscaling = upscaling

    @abc.abstractmethod
    def solve(self, kappa: np.ndarray, means: np.ndarray) -> CoarseSolution:
        """The coarse side for an admissible κ (p,) and the means (N, l); p belongs to the unweighted term."""

    def initial(self) -> CoarseRecord:
        zero, count = np.zeros((len(self.nodes), self.columns)), len(self.problem.operators)
        return CoarseRecord(
            y=zero,
            p=zero,
            target=zero,
            sensitivity=np.zeros((*zero.shape, count)),
            contraction=np.zeros(count),
            kappa=np.zeros(count),
            moments=self.upscaling.neutral,
            stale=True,
            active=False,
            strength=1.0,
            updates=0,
            rejections=0,
        )

    def scheduled(self, record: CoarseRecord, relative_residual: float) -> CoarseRecord:
        strength = self.rule.schedule.strength(record.strength, relative_residual)
        return record if strength == record.strength else replace(record, strength=strength)

    def is_due(self, record: CoarseRecord, kappa: np.ndarray) -> bool:
        if record.strength == 0:
            return False
        moved = not np.abs(kappa - record.kappa).max(initial=0) <= self.rule.threshold
        return record.stale or moved or not self.problem.is_admissible(kappa)

    def update(self, record: CoarseRecord, found: Upscaled) -> CoarseRecord:
        kappa = np.asarray(found.kappa, np.float64)
        moments = np.asarray(found.moments, np.float64)
        if not (self.problem.is_admissible(kappa) and self.upscaling.is_determined(moments)):
            return replace(
                record,
                p=np.zeros_like(record.p),
                sensitivity=np.zeros_like(record.sensitivity),
                contraction=np.zeros_like(record.contraction),
                stale=True,
                rejections=record.rejections + 1,
            )
        solution = self.solve(kappa, np.asarray(found.means, np.float64))
        return replace(
            record,
            y=solution.y,
            p=solution.p,
            target=solution.target,
            sensitivity=solution.sensitivity,
            contraction=solution.contraction,
            kappa=kappa,
            moments=moments,
            stale=False,
            active=True,
            updates=record.updates + 1,
        )

    @property
    def neutral(self) -> Float[np.ndarray, " p"]:
        """An admissible κ, for the time before there is one."""
        return np.asarray(self.upscaling.parameters(jnp.asarray(self.upscaling.neutral)), np.float64)

    def admissible(self, kappa: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        """κ, or the neutral one in place of one that is not admissible."""
        return kappa if self.problem.is_admissible(kappa) else self.neutral

    def view(self, record: CoarseRecord) -> CoarseView:
        return CoarseView(
            target=jnp.asarray(record.target, self.dtype),
            sensitivity=jnp.asarray(record.sensitivity, self.dtype),
            contraction=jnp.asarray(record.contraction, self.dtype),
            kappa=jnp.asarray(record.kappa, self.dtype),
            moments=jnp.asarray(record.moments, self.dtype),
            active=jnp.asarray(float(record.active), self.dtype),
            strength=jnp.asarray(record.strength, self.dtype),
        )
