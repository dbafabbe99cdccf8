"""The paper's coupling: ball means of the network against the coarse state, Eqs. (2.10), (2.16), (3.25)."""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy import sparse

from hpms.coupling.base import AbstractCoupling, CoarseView, CouplingContext
from hpms.coupling.coarse import coarse_problem, stacked, unstacked
from hpms.coupling.compression import compression_matrix
from hpms.coupling.gather import Gather, gather
from hpms.coupling.known import Known
from hpms.coupling.lazy import CoarseSolution, LazyCoarseSolver, UpdateRule
from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.fine.average import ball_means, consistency_gaps
from hpms.problem.sites import Sites, sites


class BallCoupling(AbstractCoupling):
    """R_δ = Σ_j w_j ((Q̄_δ v)(x_j) - y_j)², w_j = |Ω|/N_h, over the coarse nodes, Eq. (3.25), and all columns of v."""

    nodes: Sites
    compression: Gather
    transposed: Gather
    columns: int = eqx.field(static=True)
    weight: float = eqx.field(static=True)
    keeps_adjoint: bool = eqx.field(static=True)
    at_points: bool = eqx.field(static=True, default=True)
    data: None = None
    group: int = eqx.field(static=True, default=1)

    @property
    def count(self) -> int:
        return self.compression.columns.shape[0] * self.columns

    def means(self, values: Float[Array, "m l"] | None, node_values: Float[Array, "f l"]) -> Float[Array, "n l"]:
        assert values is not None
        return self.compression(jnp.concatenate([values, node_values]))

    def spread(self, means: Float[Array, "n l"]) -> tuple[Float[Array, "m l"], Float[Array, "f l"]]:
        both = self.transposed(means)
        count = both.shape[0] - self.nodes.count
        return both[:count], both[count:]

    def residual(self, means: Float[Array, "n l"], kappa: Float[Array, " p"], view: CoarseView) -> Float[Array, " r"]:
        return (view.active * self.weight**0.5 * (means - view.followed(kappa))).ravel()


class BallCoarseSolver(LazyCoarseSolver):
    """B w_i = F, y_i = w_i - x_i, and B^T p_i = 2 w∘(Q̄v_i - y_i), or with S = Q̄ on P1 functions 2 S^T[w∘(Q̄v_i - Sy_i)],
    Eqs. (3.18), (3.23).
    """

    def __init__(
        self,
        problem: CoarseProblem,
        nodes: Float[np.ndarray, "n d"],
        upscaling: AbstractUpscaling,
        average: sparse.csr_matrix | None,
        weight: float,
        rule: UpdateRule,
        dtype: jnp.dtype,
    ):
        super().__init__(problem, upscaling, rule, dtype)
        self.nodes, self.columns, self.weight = nodes, upscaling.columns, weight
        self.components = len(problem.space.nodes) // len(nodes)
        self.average = None if average is None else sparse.kron(average, sparse.eye_array(self.components), "csr")

    def solve(self, kappa: np.ndarray, means: np.ndarray) -> CoarseSolution:
        solver, means = self.problem.factorise(kappa), stacked(means, self.components)
        lift = self.problem.lift(means.shape[1])
        w = solver.state(lift)
        y, slope = w - lift, solver.sensitivity(w)
        target = y if self.average is None else self.average @ y
        mismatch = 2 * self.weight * (means - target)
        p = solver.adjoint(mismatch if self.average is None else self.average.T @ mismatch)
        if self.average is not None:
            slope = (self.average @ slope.reshape(len(y), -1)).reshape(slope.shape)
        found = (unstacked(each, self.components) for each in (y, p, target, slope))
        return CoarseSolution(*found, contraction=solver.contraction(w, p))


def ball_coupling(
    context: CouplingContext, delta: float, rule: UpdateRule, *, compress_state: bool, keeps_adjoint: bool
) -> tuple[BallCoupling, BallCoarseSolver]:
    """The jitted and the host's part, for balls of the diameter δ, which with `compress_state` average y, too; raises
    `UserError` for many empty balls.
    """
    space, problem, dtype = context.space, context.problem, context.dtype
    matrix, frame = compression_matrix(space.nodes, context.points, delta)
    weight = problem.domain.volume / len(space.nodes)
    average = None
    if compress_state:
        places = np.concatenate([context.points, space.nodes[frame]])
        average = sparse.csr_matrix(matrix @ space.interpolation(places))
    coupling = BallCoupling(
        nodes=sites(jnp.asarray(space.nodes[frame]), context.block, dtype),
        compression=gather(matrix, dtype),
        transposed=gather(matrix.T.tocsr(), dtype),
        columns=context.upscaling.columns,
        weight=weight,
        keeps_adjoint=keeps_adjoint,
    )
    upscaling = context.upscaling
    coarse = coarse_problem(problem, space, upscaling.basis, upscaling.cells)
    return coupling, BallCoarseSolver(coarse, space.nodes, upscaling, average, weight, rule, dtype)


def ball_fields(known: Known, delta: float) -> tuple[np.ndarray, np.ndarray]:
    """Q̄_δu_i and the coarse states y_i of the reference, at the nodes (N, l)."""
    nodes = known.space.nodes
    means = [ball_means(field, nodes, delta, known.problem.domain.eps) for field in known.lifted]
    if known.is_fine:
        return np.stack(means, axis=1), known.reference.coarse.values(nodes)[:, None]
    states = known.states
    return np.stack(means, axis=1), np.full((len(nodes), len(means)), np.nan) if states is None else states


def gap(known: Known, delta: float) -> float:
    """‖Q̄_δu - y‖/‖u‖ over all of Ω, NaN where K̃ is not positive definite."""
    if known.is_fine and known.reference.delta == delta:
        return known.reference.consistency_gap
    if (states := known.coarse()) is None:
        return math.nan
    pairs, eps = zip(known.lifted, states, strict=True), known.problem.domain.eps
    return known.together([math.hypot(*consistency_gaps(fine, coarse, delta, eps)) for fine, coarse in pairs])
