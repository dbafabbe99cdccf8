"""The paper's coupling: ball means of the network against the coarse state, Eqs. (2.10), (2.16), (3.25)."""

from dataclasses import dataclass
from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import sparse

from hpms.coarse.average import ball_means
from hpms.coarse.p1 import P1Space
from hpms.coarse.reference import Reference
from hpms.coarse.state import CoarseProblem
from hpms.coupling.base import AbstractCoupling, CouplingState
from hpms.coupling.compression import compression_matrix
from hpms.coupling.gather import Gather, gather
from hpms.coupling.lazy import CoarseSolution, LazyCoarseSide, UpdateRule
from hpms.coupling.schedule import Schedule
from hpms.coupling.upscaling import isotropic_adjoint, isotropic_sensitivity
from hpms.errors import ConfigError
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import Sites, sites
from hpms.registry import register
from hpms.schema import Count, NonNegative, Positive


class BallCoupling(AbstractCoupling):
    """R_δ = Σ_i w_i ((Q̄_δ v)(x_i) - y_i)², w_i = |Ω|/N_h, over the coarse nodes, Eq. (3.25)."""

    nodes: Sites
    compression: Gather
    transposed: Gather
    weight: float = eqx.field(static=True)
    at_points: bool = eqx.field(static=True, default=True)

    @property
    def count(self) -> int:
        return self.compression.columns.shape[0]

    def means(self, values: Float[Array, " m"] | None, node_values: Float[Array, " f"]) -> Float[Array, " n"]:
        assert values is not None
        return self.compression(jnp.concatenate([values, node_values]))

    def spread(self, means: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, " f"]]:
        both = self.transposed(means)
        count = both.shape[0] - self.nodes.count
        return both[:count], both[count:]

    def residual(self, means: Float[Array, " n"], state: CouplingState) -> Float[Array, " n"]:
        return state.active * self.weight**0.5 * (means - state.target)

    def linearised(
        self, means: Float[Array, " n"], mean_flux: Float[Array, ""], state: CouplingState
    ) -> Float[Array, " n"]:
        target = state.target + state.sensitivity * (mean_flux - state.mean_flux)
        return state.active * self.weight**0.5 * (means - target)

    def adjoint(self, means: Float[Array, " n"], state: CouplingState) -> Float[Array, ""]:
        """d(p^T B_h y)/d(mean flux) with the p and y of the last update."""
        return isotropic_adjoint(state.contraction)


class BallCoarseSide(LazyCoarseSide):
    """B_h y = F and B_h^T p = 2 w∘(Q̄v - y), or with S = Q̄ on P1 functions 2 S^T[w∘(Q̄v - Sy)], Eqs. (3.18), (3.23)."""

    def __init__(
        self,
        problem: CoarseProblem,
        average: sparse.csr_matrix | None,
        weight: float,
        rule: UpdateRule,
        dtype: jnp.dtype,
    ):
        super().__init__(problem, rule, dtype)
        self.average, self.weight = average, weight

    def solve(self, upscaled: np.ndarray, means: np.ndarray) -> CoarseSolution:
        solver = self.problem.factorise(upscaled)
        y = solver.state()
        target = y if self.average is None else self.average @ y
        mismatch = 2 * self.weight * (means - target)
        p = solver.adjoint(mismatch if self.average is None else self.average.T @ mismatch)
        slope = isotropic_sensitivity(solver, y)
        slope = slope if self.average is None else self.average @ slope
        return CoarseSolution(y, p, target, solver.contraction(y, p), slope)


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
        self, space: P1Space, problem: LiftedProblem, points: np.ndarray, block: int, dtype: jnp.dtype
    ) -> tuple[BallCoupling, BallCoarseSide]:
        """The jitted and the host's part for collocation points (M, d); raises `UserError` for many empty balls."""
        schedule = Schedule(self.schedule, self.half_life, self.level)
        rule = UpdateRule.of(self.update, self.interval, self.threshold, schedule)
        return ball_coupling(space, problem, points, self.delta, self.compress_state, rule, block, dtype)

    def reference_fields(
        self, problem: LiftedProblem, reference: Reference, space: P1Space
    ) -> tuple[np.ndarray, np.ndarray]:
        """Q̄_δu and the coarse state y of the reference at the nodes (N,) of the means."""
        return ball_fields(reference, space.nodes, self.delta, problem.domain.eps)


def ball_coupling(
    space: P1Space,
    problem: LiftedProblem,
    points: np.ndarray,
    delta: float,
    compress_state: bool,
    rule: UpdateRule,
    block: int,
    dtype: jnp.dtype,
) -> tuple[BallCoupling, BallCoarseSide]:
    """The paper's coupling for collocation points (M, d); raises `UserError` for an empty ball."""
    matrix, frame = compression_matrix(space.nodes, points, delta)
    weight = problem.domain.volume / len(space.nodes)
    average = None
    if compress_state:
        places = np.concatenate([points, space.nodes[frame]])
        average = sparse.csr_matrix(matrix @ space.interpolation(places))
    nodes = sites(jnp.asarray(space.nodes[frame]), block, dtype)
    coupling = BallCoupling(
        nodes=nodes,
        compression=gather(matrix, dtype),
        transposed=gather(matrix.T.tocsr(), dtype),
        weight=weight,
    )
    coarse = CoarseProblem(space, space.load(problem.source_at()))
    return coupling, BallCoarseSide(coarse, average, weight, rule, dtype)


def ball_fields(reference: Reference, nodes: np.ndarray, delta: float, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Q̄_δu and the coarse state y of the reference, on its own fine mesh, at nodes (N, d)."""
    return ball_means(reference.fine, nodes, delta, eps), reference.coarse.values(nodes)


@register("coupling", "none")
@dataclass(frozen=True)
class Nothing:
    """`coupling=none`: the plain PINN."""

    delta: Positive

    def build(
        self, space: P1Space, problem: LiftedProblem, points: np.ndarray, block: int, dtype: jnp.dtype
    ) -> tuple[None, None]:
        return None, None
