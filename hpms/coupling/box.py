"""A coupling that the exact solution fulfils: box means against a coarse state with the network's own boundary data.

The paper's coarse state vanishes on ∂Ω, but the local means of the exact u do not: the corrector, pinned at ∂Ω, shifts
them by O(ε). Here the coarse problem lives on Ω_δ, where all boxes fit into Ω, takes its boundary values from the means
of v, and averages the source as v is averaged, because averaging commutes with a constant-coefficient operator:

    -∇·(K̃∇y) = Q̄q in Ω_δ,   y = Q̄v on ∂Ω_δ.
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
from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.p1 import P1Space
from hpms.problem.sites import Sites, sites

_MOST_BYTES = 5e8


class BoxCoupling(AbstractCoupling):
    """R_δ = Σ_i w_i ((Q̄v)(x_i) - y_i)², w_i = |Ω_δ|/N, over the N nodes; on ∂Ω_δ the two are equal.

    B_II y_I = F_I - B_IB (Q̄v)_B, for each v_i. With the harmonic extension E = -B_II^{-1} B_IB of boundary data
    y = y_0 + E(Q̄v)_B follows v at every iteration, y_0 = `target` being the state with zero data; only κ in y_0 and E,
    which for K̃ = κI does not depend on it, is as old as the last coarse update.
    """

    nodes: Sites
    compression: Gather
    transposed: Gather
    interior: Int[Array, " i"]
    boundary: Int[Array, " b"]
    lifts: int = eqx.field(static=True)
    weight: float = eqx.field(static=True)
    at_points: bool = eqx.field(static=True, default=False)

    @property
    def count(self) -> int:
        return self.interior.shape[0] * self.lifts

    def means(self, values: Float[Array, "m l"] | None, node_values: Float[Array, "f l"]) -> Float[Array, "n l"]:
        return self.compression(node_values)

    def spread(self, means: Float[Array, "n l"]) -> tuple[None, Float[Array, "f l"]]:
        return None, self.transposed(means)

    def residual(self, means: Float[Array, "n l"], kappa: Float[Array, " p"], view: CoarseView) -> Float[Array, " r"]:
        assert view.extension is not None
        inner = view.followed(kappa)[self.interior] + view.extension @ means[self.boundary]
        return (view.active * self.weight**0.5 * (means[self.interior] - inner)).ravel()

    def adjoint(self, means: Float[Array, "n l"], view: CoarseView) -> Float[Array, " p"]:
        """d(p^T B y)/dκ = -∂_yR·∂y/∂κ with the present means, as p of the last update may be old."""
        slope = view.active * self.weight**0.5 * view.sensitivity[self.interior]
        return -2 * self.residual(means, view.kappa, view) @ slope.reshape(-1, slope.shape[-1])


class BoxCoarseSolver(LazyCoarseSolver):
    """y with boundary data, B_II^T p_I = 2 w∘(Q̄v - y)_I and ∂y/∂κ."""

    def __init__(
        self,
        problem: CoarseProblem,
        upscaling: AbstractUpscaling,
        weight: float,
        rule: UpdateRule,
        dtype: jnp.dtype,
    ):
        super().__init__(problem, upscaling, rule, dtype)
        self.weight = weight
        self._extended: tuple[np.ndarray, Array] | None = None

    def solve(self, kappa: np.ndarray, means: np.ndarray) -> CoarseSolution:
        solver = self.problem.factorise(kappa)
        y = solver.state(means)
        p = solver.adjoint(2 * self.weight * (means - y))
        return CoarseSolution(
            y=y,
            p=p,
            target=solver.state(np.zeros_like(means)),
            sensitivity=solver.sensitivity(y),
            contraction=solver.contraction(y, p),
        )

    def view(self, record: CoarseRecord) -> CoarseView:
        return replace(super().view(record), extension=self._extension(np.asarray(record.kappa)))

    def _extension(self, kappa: Float[np.ndarray, " p"]) -> Float[Array, "i b"]:
        """E for that κ, kept; any κ has that of one parameter."""
        if len(kappa) == 1 or not self.problem.is_admissible(kappa):
            kappa = np.asarray(self.upscaling.parameters(jnp.asarray(self.upscaling.neutral)))
        if self._extended is None or (self._extended[0] != kappa).any():
            self._extended = kappa, jnp.asarray(self.problem.factorise(kappa).extension(), self.dtype)
        return self._extended[1]


def box_coupling(
    context: CouplingContext, average: BoxAverage, rule: UpdateRule
) -> tuple[BoxCoupling, BoxCoarseSolver]:
    """The coupling by box means on P1 elements on Ω_δ; raises `UserError` where their width makes E too large."""
    dim, h, dtype, upscaling = context.space.dim, context.space.h, context.dtype, context.upscaling
    space = P1Space(dim, h, average.low, average.high)
    if (needed := 8 * space.interior.size * space.boundary.size) > _MOST_BYTES:
        raise UserError(
            f"coarse.h={h:g} is too small for coupling=consistent: the dense extension of its boundary data would have "
            f"{1e-9 * needed:.1f} GB; allowed are {1e-9 * _MOST_BYTES:.1f}."
        )
    coarse = CoarseProblem(space, space.load(average.mean(context.problem.source_at())), upscaling.basis)
    weight = float(np.prod(space.size)) / len(space.nodes)
    points, matrix = average.sampled(space)
    coupling = BoxCoupling(
        nodes=sites(jnp.asarray(points), context.block, dtype),
        compression=gather(matrix, dtype),
        transposed=gather(matrix.T.tocsr(), dtype),
        interior=jnp.asarray(space.interior),
        boundary=jnp.asarray(space.boundary),
        lifts=upscaling.lifts,
        weight=weight,
    )
    return coupling, BoxCoarseSolver(coarse, upscaling, weight, rule, dtype)
