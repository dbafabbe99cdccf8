"""The paper's coupling: ball means of the network against the coarse state, Eqs. (2.10), (2.16), (3.25)."""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import sparse

from hpms.coupling.base import AbstractCoupling, CoarseView, CouplingContext
from hpms.coupling.compression import compression_matrix
from hpms.coupling.gather import Gather, gather
from hpms.coupling.lazy import CoarseSolution, LazyCoarseSolver, UpdateRule
from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.fine.average import ball_means, consistency_gaps
from hpms.fem.fine.reference import Reference
from hpms.options.coupling import BallOptions
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

    def residual(self, means: Float[Array, " n"], kappa: Float[Array, " p"], view: CoarseView) -> Float[Array, " n"]:
        return view.active * self.weight**0.5 * (means - view.followed(kappa))

    def adjoint(self, means: Float[Array, " n"], view: CoarseView) -> Float[Array, " p"]:
        """d(p^T B y)/dκ with the p and y of the last update."""
        return view.contraction


class BallCoarseSolver(LazyCoarseSolver):
    """B y = F and B^T p = 2 w∘(Q̄v - y), or with S = Q̄ on P1 functions 2 S^T[w∘(Q̄v - Sy)], Eqs. (3.18), (3.23)."""

    def __init__(
        self,
        problem: CoarseProblem,
        upscaling: AbstractUpscaling,
        average: sparse.csr_matrix | None,
        weight: float,
        rule: UpdateRule,
        dtype: jnp.dtype,
    ):
        super().__init__(problem, upscaling, rule, dtype)
        self.average, self.weight = average, weight

    def solve(self, kappa: np.ndarray, means: np.ndarray) -> CoarseSolution:
        solver = self.problem.factorise(kappa)
        y = solver.state()
        slope = solver.sensitivity(y)
        target = y if self.average is None else self.average @ y
        mismatch = 2 * self.weight * (means - target)
        p = solver.adjoint(mismatch if self.average is None else self.average.T @ mismatch)
        slope = slope if self.average is None else self.average @ slope
        return CoarseSolution(y=y, p=p, target=target, sensitivity=slope, contraction=solver.contraction(y, p))


def build(options: BallOptions, context: CouplingContext) -> tuple[BallCoupling, BallCoarseSolver]:
    """The jitted and the host's part; raises `UserError` for many empty balls."""
    space, problem, dtype = context.space, context.problem, context.dtype
    matrix, frame = compression_matrix(space.nodes, context.points, options.delta)
    weight = problem.domain.volume / len(space.nodes)
    average = None
    if options.compress_state:
        places = np.concatenate([context.points, space.nodes[frame]])
        average = sparse.csr_matrix(matrix @ space.interpolation(places))
    coupling = BallCoupling(
        nodes=sites(jnp.asarray(space.nodes[frame]), context.block, dtype),
        compression=gather(matrix, dtype),
        transposed=gather(matrix.T.tocsr(), dtype),
        weight=weight,
    )
    coarse = CoarseProblem(space, space.load(problem.source_at()), context.upscaling.basis)
    return coupling, BallCoarseSolver(coarse, context.upscaling, average, weight, UpdateRule.of(options), dtype)


def ball_fields(reference: Reference, nodes: np.ndarray, delta: float, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Q̄_δu and the coarse state y of the reference, on its own fine mesh, at nodes (N, d)."""
    return ball_means(reference.fine, nodes, delta, eps), reference.coarse.values(nodes)


def gap(reference: Reference, delta: float, eps: float) -> float:
    """‖Q̄_δu - y‖/‖u‖ over all of Ω, NaN where K̃₁₁ <= 0."""
    if reference.delta == delta:
        return reference.consistency_gap
    if reference.upscaled_coefficient[0, 0] <= 0:
        return math.nan
    return math.hypot(*consistency_gaps(reference.fine, reference.coarse, delta, eps))
