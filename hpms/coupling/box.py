"""A coupling that the exact solution fulfils: box means against a coarse state with the network's own boundary data.

The paper's coarse state vanishes on ∂Ω, but the local means of the exact u do not: the corrector, pinned at ∂Ω, shifts
them by O(ε). Here the coarse problem lives on Ω_δ, where all boxes fit into Ω, takes its boundary values from the means
of v, and averages the source as v is averaged, because averaging commutes with a constant-coefficient operator:

    -∇·(K̃∇y) = Q̄q in Ω_δ,   y = Q̄v on ∂Ω_δ.

The means are taken at the nodes of a mesh of its own, some of those of the coarse mesh: how many boxes there are costs
evaluations of v, how fine the coarse mesh is decides its own error.
"""

from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from hpms.coupling.base import AbstractCoupling, CoarseRecord, CoarseView, CouplingContext
from hpms.coupling.gather import Gather, gather
from hpms.coupling.lazy import CoarseSolution, LazyCoarseSolver, UpdateRule
from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.errors import UserError
from hpms.fem.coarse.box import BoxAverage
from hpms.fem.coarse.nested import Nested
from hpms.fem.coarse.problem import CoarseProblem
from hpms.problem.sites import Sites, sites

_MOST_BYTES = 5e8


class BoxCoupling(AbstractCoupling):
    """R_δ = Σ_i w_i ((Q̄v)(x_i) - y_i)², w_i = |Ω_δ|/N, over the N nodes; on ∂Ω_δ the two are equal.

    B_II y_I = F_I - B_IB (P Q̄v)_B, for each v_i, on the coarse mesh, where P interpolates between the nodes. With the
    harmonic extension E = -B_II^{-1} B_IB of boundary data y = y_0 + E P(Q̄v)_B follows v at every iteration, y_0 =
    `target` being the state with zero data; only κ in y_0 and E, which for K̃ = κI does not depend on it, is as old as
    the last coarse update.
    """

    nodes: Sites
    compression: Gather
    transposed: Gather
    interior: Int[Array, " i"]
    boundary: Int[Array, " b"]
    lifts: int = eqx.field(static=True)
    weight: float = eqx.field(static=True)
    data: None = None
    group: int = eqx.field(static=True, default=1)
    at_points: bool = eqx.field(static=True, default=False)
    keeps_adjoint: bool = eqx.field(static=True, default=False)

    @property
    def count(self) -> int:
        return self.interior.shape[0] * self.lifts

    def means(self, values: Float[Array, "m l"] | None, node_values: Float[Array, "f l"]) -> Float[Array, "n l"]:
        return self.compression(node_values)

    def spread(self, means: Float[Array, "n l"]) -> tuple[None, Float[Array, "f l"]]:
        return None, self.transposed(means)

    def residual(self, means: Float[Array, "n l"], kappa: Float[Array, " p"], view: CoarseView) -> Float[Array, " r"]:
        assert view.matrix is not None
        inner = view.followed(kappa)[self.interior] + view.matrix @ means[self.boundary]
        return (view.active * self.weight**0.5 * (means[self.interior] - inner)).ravel()


class BoxCoarseSolver(LazyCoarseSolver):
    """y with boundary data, B_II^T p_I = 2 w∘(Q̄v - y)_I and ∂y/∂κ, all on the coarse mesh and kept at the nodes of the
    means.
    """

    def __init__(
        self,
        problem: CoarseProblem,
        nested: Nested,
        upscaling: AbstractUpscaling,
        rule: UpdateRule,
        dtype: jnp.dtype,
    ):
        super().__init__(problem, upscaling, rule, dtype)
        self.nested, self.nodes = nested, nested.wide.nodes
        self.weight = float(np.prod(nested.wide.size)) / len(self.nodes)
        self._extended: tuple[np.ndarray, Array] | None = None

    def solve(self, kappa: np.ndarray, means: np.ndarray) -> CoarseSolution:
        solver, places = self.problem.factorise(kappa), self.nested.places
        y = solver.state(self.nested.interpolation @ means)
        misfit = np.zeros_like(y)
        misfit[places] = 2 * self.weight * (means - y[places])
        p = solver.adjoint(misfit)
        return CoarseSolution(
            y=y[places],
            p=p[places],
            target=solver.state(np.zeros_like(y))[places],
            sensitivity=solver.sensitivity(y)[places],
            contraction=solver.contraction(y, p),
        )

    def view(self, record: CoarseRecord) -> CoarseView:
        return replace(super().view(record), matrix=self._extension(np.asarray(record.kappa)))

    def _extension(self, kappa: Float[np.ndarray, " p"]) -> Float[Array, "i b"]:
        """E P at the nodes of the means for that κ, kept; any κ has that of one parameter."""
        kappa = self.neutral if len(kappa) == 1 else self.admissible(kappa)
        if self._extended is None or (self._extended[0] != kappa).any():
            extension = self.problem.factorise(kappa).extension(self.nested.edge_interpolation)
            self._extended = kappa, jnp.asarray(extension[self.nested.interior_places], self.dtype)
        return self._extended[1]


def box_coupling(
    context: CouplingContext, average: BoxAverage, spacing: float | None, rule: UpdateRule
) -> tuple[BoxCoupling, BoxCoarseSolver]:
    """The coupling by box means at nodes of distance `spacing`, None for that of the coarse mesh, and P1 elements on
    Ω_δ; raises `UserError` where their numbers make E too large.
    """
    dim, h, dtype, upscaling = context.space.dim, context.space.h, context.dtype, context.upscaling
    nested = Nested(dim, spacing or h, h, average.low, average.high)
    wide, fine = nested.wide, nested.fine
    if (needed := 8 * fine.interior.size * wide.boundary.size) > _MOST_BYTES:
        raise UserError(
            f"coarse.h={h:g} is too small for coupling=consistent: the dense extension of its boundary data would have "
            f"{1e-9 * needed:.1f} GB; allowed are {1e-9 * _MOST_BYTES:.1f}."
        )
    coarse = CoarseProblem(fine, fine.load(average.mean(context.problem.source_at())), upscaling.basis)
    solver = BoxCoarseSolver(coarse, nested, upscaling, rule, dtype)
    points, matrix = average.sampled(wide)
    coupling = BoxCoupling(
        nodes=sites(jnp.asarray(points), context.block, dtype),
        compression=gather(matrix, dtype),
        transposed=gather(matrix.T.tocsr(), dtype),
        interior=jnp.asarray(wide.interior),
        boundary=jnp.asarray(wide.boundary),
        lifts=upscaling.lifts,
        weight=solver.weight,
    )
    return coupling, solver
