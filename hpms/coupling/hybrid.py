"""The paper's coupling: ball means of the network against the coarse state, Eqs. (2.10), (2.16), (3.25)."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import sparse

from hpms.coarse.p1 import P1Space
from hpms.coarse.state import CoarseProblem
from hpms.coupling.base import AbstractCoarseSide, AbstractCoupling, CoarseRecord, CouplingState
from hpms.coupling.compression import compression_matrix
from hpms.coupling.gather import Gather, gather
from hpms.coupling.schedule import Schedule
from hpms.coupling.upscaling import isotropic_adjoint
from hpms.errors import ConfigError
from hpms.problem.lifted import LiftedProblem
from hpms.registry import register
from hpms.schema import Count, NonNegative, Positive


class BallCoupling(AbstractCoupling):
    """R_δ = Σ_i w_i ((Q̄_δ v)(x_i) - y_i)², w_i = |Ω|/N_h, over the coarse nodes, Eq. (3.25)."""

    nodes: Float[Array, "f d"]
    compression: Gather
    transposed: Gather
    weight: float = eqx.field(static=True)

    def means(self, values: Float[Array, " m"], node_values: Float[Array, " f"]) -> Float[Array, " n"]:
        return self.compression(jnp.concatenate([values, node_values]))

    def spread(self, means: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, " f"]]:
        both = self.transposed(means)
        count = both.shape[0] - self.nodes.shape[0]
        return both[:count], both[count:]

    def residual(self, means: Float[Array, " n"], state: CouplingState) -> Float[Array, " n"]:
        return state.active * self.weight**0.5 * (means - state.target)

    def linearised(
        self, means: Float[Array, " n"], mean_flux: Float[Array, ""], state: CouplingState
    ) -> Float[Array, " n"]:
        target = state.target + state.sensitivity * (mean_flux - state.mean_flux)
        return state.active * self.weight**0.5 * (means - target)

    def adjoint(self, state: CouplingState) -> Float[Array, ""]:
        return isotropic_adjoint(state.contraction)


class BallCoarseSide(AbstractCoarseSide):
    """B_h y = F and B_h^T p = 2 w∘(Q̄v - y), or with S = Q̄ on P1 functions 2 S^T[w∘(Q̄v - Sy)], Eqs. (3.18), (3.23).

    p belongs to the unweighted term; the jitted side multiplies by τ₂λ₂.
    """

    def __init__(
        self,
        problem: CoarseProblem,
        average: sparse.csr_matrix | None,
        weight: float,
        interval: int,
        threshold: float,
        schedule: Schedule,
        dtype: jnp.dtype,
    ):
        self.problem, self.average, self.weight = problem, average, weight
        self.interval, self.threshold, self.schedule, self.dtype = interval, threshold, schedule, dtype

    def initial(self) -> CoarseRecord:
        count, dim = self.problem.space.nodes.shape
        zero = np.zeros(count)
        nothing, unknown = np.zeros((dim, dim)), np.full((dim, dim), np.nan)
        return CoarseRecord(zero, zero, zero, nothing, unknown, False, zero, 1.0, 0, 0)

    def scheduled(self, record: CoarseRecord, iteration: int, relative_residual: float) -> CoarseRecord:
        return replace(record, strength=self.schedule.strength(record.strength, iteration, relative_residual))

    def is_due(self, record: CoarseRecord, upscaled: np.ndarray) -> bool:
        if record.strength == 0:
            return False
        change = np.abs(upscaled - record.upscaled).max()
        return not change <= self.threshold or not self.problem.is_admissible(upscaled)

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
        solver = self.problem.factorise(upscaled)
        y = solver.state()
        target = y if self.average is None else self.average @ y
        mismatch = 2 * self.weight * (means - target)
        p = solver.adjoint(mismatch if self.average is None else self.average.T @ mismatch)
        slope = sum(solver.sensitivity(a, a) for a in range(upscaled.shape[0]))
        return replace(
            record,
            y=y,
            p=p,
            target=target,
            contraction=solver.contraction(y, p),
            upscaled=upscaled,
            active=True,
            sensitivity=slope if self.average is None else self.average @ slope,
            updates=record.updates + 1,
        )

    def state(self, record: CoarseRecord) -> CouplingState:
        return CouplingState(
            jnp.asarray(record.target, self.dtype),
            jnp.asarray(record.contraction, self.dtype),
            jnp.asarray(float(record.active), self.dtype),
            jnp.asarray(record.sensitivity, self.dtype),
            jnp.asarray(np.nan_to_num(record.upscaled[0, 0]), self.dtype),
            jnp.asarray(record.strength, self.dtype),
        )


@register("coupling", "hybrid")
@dataclass(frozen=True)
class Hybrid:
    """`coupling=hybrid`.

    **Arguments:** `tau2` = τ₂; `delta` = δ, the ball's diameter (paper: eps); `compress_state` averages y too, Eq.
    (2.16) instead of (2.10); `update` = lazy (every `interval` iterations, if |K̃ - K̃_last| > `threshold`) or
    every_step; `schedule` of τ₂ = constant, decaying by half every `half_life` iterations, or until the residual loss
    is below `level` times that of v = 0.
    """

    tau2: NonNegative
    delta: Positive
    compress_state: bool
    update: Literal["lazy", "every_step"]
    interval: Count
    threshold: NonNegative
    schedule: Literal["constant", "decaying", "until"]
    half_life: Count
    level: Positive

    def check(self, config: Any) -> None:
        if self.delta >= 1:
            raise ConfigError("coupling.delta", f"{self.delta:g}", "it must be less than the domain's size 1")

    def build(
        self, space: P1Space, problem: LiftedProblem, points: np.ndarray, dtype: jnp.dtype
    ) -> tuple[BallCoupling, BallCoarseSide]:
        """The jitted and the host's part for collocation points (M, d); raises `UserError` for an empty ball."""
        matrix, frame = compression_matrix(space.nodes, points, self.delta)
        weight = problem.domain.volume / len(space.nodes)
        average = None
        if self.compress_state:
            sites = np.concatenate([points, space.nodes[frame]])
            average = sparse.csr_matrix(matrix @ space.interpolation(sites))
        lazy = self.update == "lazy"
        coupling = BallCoupling(
            jnp.asarray(space.nodes[frame], dtype),
            gather(matrix, dtype),
            gather(matrix.T.tocsr(), dtype),
            weight,
        )
        coarse = BallCoarseSide(
            CoarseProblem(space, space.load(problem.source_at())),
            average,
            weight,
            self.interval if lazy else 1,
            self.threshold if lazy else -1.0,
            Schedule(self.schedule, self.half_life, self.level),
            dtype,
        )
        return coupling, coarse


@register("coupling", "none")
@dataclass(frozen=True)
class Nothing:
    """`coupling=none`: the plain PINN."""

    delta: Positive

    def build(self, space: P1Space, problem: LiftedProblem, points: np.ndarray, dtype: jnp.dtype) -> tuple[None, None]:
        return None, None
