"""The paper's coupling: ball means of the network against the coarse state, Eqs. (2.10), (2.16), (3.25)."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import sparse

from hpms.coupling.base import AbstractCoupling, CouplingState
from hpms.coupling.compression import compression_matrix
from hpms.coupling.gather import Gather, gather
from hpms.coupling.lazy import CoarseSolution, LazyCoarseSide, UpdateRule
from hpms.coupling.schedule import Schedule
from hpms.coupling.upscaling import isotropic_adjoint, isotropic_sensitivity
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.fine.average import ball_means
from hpms.fem.fine.reference import Reference
from hpms.fem.p1 import P1Space
from hpms.options.coupling import HybridOptions
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import Sites, sites


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


def build(
    options: HybridOptions,
    space: P1Space,
    problem: LiftedProblem,
    points: np.ndarray,
    block: int,
    dtype: np.dtype,
) -> tuple[BallCoupling, BallCoarseSide]:
    """The jitted and the host's part for collocation points (M, d); raises `UserError` for many empty balls."""
    schedule = Schedule(options.schedule, options.half_life, options.level)
    rule = UpdateRule.of(options.update, options.interval, options.threshold, schedule)
    return ball_coupling(space, problem, points, options.delta, options.compress_state, rule, block, dtype)


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
