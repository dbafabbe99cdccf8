"""A coupling that the exact solution of any medium fulfils, up to quadrature: the equation tested with coarse hats.

V_H are the hats φ_i of a coarse mesh that vanish where w is given, and

    r_i = ∫ K∇w·∇φ_i + ∫ c w φ_i + ∫_Γ a w φ_i - ∫ q φ_i - ∫_Γ g φ_i,
    R = r^T B[κ]^{-1} r = ‖L^{-1} r‖²,  B = L L^T,

with Γ the parts of ∂Ω that have a condition for the flux. The exact solution has r = 0, and R^(1/2) is the energy norm
of the error as V_H sees it. B[κ] is the norm alone (its symmetric part, where K̃ is not symmetric): a κ that is old,
or only a mean of K, changes weights, not the solution. The state B z = r has R = z^T B z and is its own adjoint,
p = -z: ∂R/∂κ_k = -z^T A_k z. Rows follow κ by the derivative of L^{-1}, times r as it is at present.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jaxtyping import Array, Float, Int
from scipy import sparse

from hpms.coupling.base import AbstractCoupling, CoarseRecord, CoarseView, CouplingContext
from hpms.coupling.lazy import CoarseSolution, LazyCoarseSolver, UpdateRule
from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.coupling.weak import AbstractWeakForm
from hpms.errors import UserError
from hpms.fem.coarse.problem import CoarseProblem
from hpms.jet import Jet
from hpms.machine import devices
from hpms.problem.law.base import AbstractMedium
from hpms.problem.sites import Sites, cut, fold_blocks, sites

_MOST_BYTES, _COPIES = 1.5e9, 3  # of the matrices while they are made


class GalerkinCoupling(AbstractCoupling):
    """R = ‖L^{-1}(m + r⁰)‖², for each v_i: m_j = ∫ K∇v·∇φ_j + ..., linear in v, are its means, r⁰ what v = 0 has.

    Points lie element by element in groups, over each of which the flux is averaged; `corners` (n, E, 2^d) are each
    element's rows, N for those that are left out, `kinds` (n, E) its table.
    """

    nodes: Sites
    data: Any
    corners: Int[Array, "n e c"]
    kinds: Int[Array, "n e"]
    tables: Float[Array, "k groups c f"]
    forcing: Float[Array, "r l"]
    group: int = eqx.field(static=True)
    at_points: bool = eqx.field(static=True, default=False)
    keeps_adjoint: bool = eqx.field(static=True, default=False)

    @property
    def count(self) -> int:
        return self.forcing.size

    @property
    def is_linear(self) -> bool:
        return False

    @property
    def kept(self) -> int:
        return 2 * len(self.forcing)

    def density(self, jet: Jet, there: tuple[AbstractMedium, Array | None]) -> Float[Array, "b l f"]:
        medium, rate = there
        if rate is None:
            return medium.fluxes(jet.gradient)
        return jnp.stack((*medium.stress(jet.gradient), rate[:, None] * jet.value), axis=-1)

    def means(self, values: Float[Array, "m l"] | None, node_values: Float[Array, "p k f"]) -> Float[Array, "r k"]:
        groups = node_values.reshape(-1, self.group, *node_values.shape[1:]).mean(axis=1)
        corners, kinds = (array.reshape(-1, *array.shape[2:]) for array in (self.corners, self.kinds))
        return self._assembled(corners, kinds, groups)

    def spread(self, means: Float[Array, "r l"]) -> tuple[None, Float[Array, "p l f"]]:
        shape = (self.nodes.count, means.shape[1], self.tables.shape[-1])
        transposed = jax.linear_transpose(lambda found: self.means(None, found), jnp.zeros(shape, means.dtype))
        return None, transposed(means)[0]

    def residual(self, means: Float[Array, "n l"], kappa: Float[Array, " p"], view: CoarseView) -> Float[Array, " r"]:
        assert view.matrix is not None
        rows = view.matrix @ (means + self.forcing)
        following = jnp.tensordot(kappa - view.kappa, rows[1:], axes=1)
        return (view.active * (rows[0] - following)).ravel()

    def jacobian(
        self, gradients: Callable[[Any], Float[Array, "g l f p"]], inside: None = None
    ) -> Float[Array, "r l p"]:
        """Element by element: the gradients of a block's groups are there alone, then its share of the rows."""

        def add(total: Array, block: tuple[Array, Array, Any]) -> Array:
            corners, kinds, points = block
            found = gradients(points)
            groups, lifts, fields, parameters = found.shape
            flat = jnp.moveaxis(found, 2, 1).reshape(groups, fields, lifts * parameters).swapaxes(1, 2)
            return total + self._assembled(corners, kinds, flat).reshape(total.shape)

        like = jax.eval_shape(gradients, jax.tree.map(lambda array: array[0], self.blocks))
        start = jnp.zeros((*self.forcing.shape, like.shape[-1]), like.dtype)
        return fold_blocks(add, start, (self.corners, self.kinds, self.blocks))

    def _assembled(
        self, corners: Int[Array, "e c"], kinds: Int[Array, " e"], groups: Float[Array, "g l f"]
    ) -> Float[Array, "r l"]:
        each = groups.reshape(len(corners), -1, *groups.shape[1:])
        local = jnp.einsum("egcf,eglf->ecl", self.tables[kinds], each)
        found = jnp.zeros((len(self.forcing) + 1, groups.shape[1]), groups.dtype)
        return found.at[corners].add(local)[:-1]


class GalerkinSolver(LazyCoarseSolver):
    """z = B^{-1} r and p = -z, and the matrices that rows need: L^{-1} and its derivatives -Φ_k L^{-1} by κ_k.

    Φ_k is the lower triangle of L^{-1}A_kL^{-T} with half of its diagonal, so that Φ_k + Φ_k^T is all of it.
    """

    def __init__(
        self,
        problem: CoarseProblem,
        upscaling: AbstractUpscaling,
        forcing: Float[np.ndarray, "r l"],
        rule: UpdateRule,
        dtype: jnp.dtype,
    ):
        super().__init__(problem, upscaling, rule, dtype)
        self.nodes, self.forcing = problem.space.nodes[problem.space.interior], forcing
        self._kept: tuple[np.ndarray, np.ndarray, Array] | None = None

    def solve(self, kappa: np.ndarray, means: np.ndarray) -> CoarseSolution:
        inverse, _ = self._matrices(kappa)
        z = inverse.T @ (inverse @ (means + self.forcing))
        return CoarseSolution(
            y=z,
            p=-z,
            target=np.zeros_like(z),
            sensitivity=np.zeros((*z.shape, len(kappa))),
            contraction=np.array([-float(np.vdot(z, self._inner(a) @ z)) for a in self.problem.operators]),
        )

    def view(self, record: CoarseRecord) -> CoarseView:
        kappa = self.admissible(np.asarray(record.kappa, np.float64))
        return replace(super().view(record), matrix=self._matrices(kappa)[1])

    def _inner(self, matrix: sparse.csr_matrix) -> sparse.csr_matrix:
        """The symmetric part, among the nodes that V_H has."""
        inside = self.problem.space.interior
        here = matrix[inside][:, inside]
        return sparse.csr_matrix((here + here.T) / 2)

    def _matrices(self, kappa: Float[np.ndarray, " p"]) -> tuple[Float[np.ndarray, "n n"], Float[Array, "p1 n n"]]:
        """L^{-1}, and for the jitted side L^{-1} and the Φ_k L^{-1} for that κ, kept."""
        if self._kept is None or (self._kept[0] != kappa).any():
            lower = np.linalg.cholesky(self._inner(self.problem.matrix(kappa)).toarray())
            inverse = scipy.linalg.solve_triangular(lower, np.eye(len(lower)), lower=True)
            every = [inverse]
            for operator in map(self._inner, self.problem.operators):
                product = inverse @ (operator @ inverse.T)
                every.append(np.tril(product) @ inverse - np.diag(product)[:, None] * inverse / 2)
            self._kept = kappa, inverse, jnp.asarray(np.stack(every), self.dtype)
        return self._kept[1:]


def galerkin_coupling(
    context: CouplingContext, form: AbstractWeakForm, rule: UpdateRule
) -> tuple[GalerkinCoupling, GalerkinSolver]:
    """The jitted and the host's part."""
    upscaling, dtype = context.upscaling, context.dtype
    size = form.space.interior.size
    if (needed := 8 * _COPIES * (1 + len(upscaling.basis)) * size**2) > _MOST_BYTES:
        raise UserError(
            f"coupling.spacing={form.space.h:.3g} is too small: the {1 + len(upscaling.basis)} dense matrices of its "
            f"{size:,} hats would have {1e-9 * needed:.1f} GB; allowed are {1e-9 * _MOST_BYTES:.1f}."
        )
    parts = _blocked(form, context.block)
    elements, size = parts["corners"].shape[:2], form.rule.points[0, ..., 0].size
    points = jnp.asarray(parts["points"].reshape(-1, form.space.dim))
    rate = jnp.asarray(parts["rates"].ravel()) if form.has_rate else None
    block = elements[1] * size
    data = jax.tree.map(lambda array: cut(array, block).astype(dtype), (context.problem.law.at(points), rate))
    coupling = GalerkinCoupling(
        nodes=sites(points, block, dtype),
        data=data,
        corners=jnp.asarray(parts["corners"], jnp.int32),
        kinds=jnp.asarray(parts["kinds"], jnp.int32),
        tables=jnp.asarray(form.rule.tables if form.has_rate else form.rule.tables[..., :-1], dtype),
        forcing=jnp.asarray(form.forcing, dtype),
        group=form.rule.points.shape[2],
    )
    problem = form.norm(upscaling.basis, upscaling.cells)
    return coupling, GalerkinSolver(problem, upscaling, form.forcing, rule, dtype)


def _blocked(form: AbstractWeakForm, block: int) -> dict[str, np.ndarray]:
    """What belongs to the elements as equal blocks of whole elements, of at most `block` points or one element, padded
    with copies of the last one, in which no hat counts; several devices have equally many.
    """
    rule, space = form.rule, form.space
    count, size = len(rule.points), rule.points[0, ..., 0].size
    blocks = -(-count // max(1, block // size))
    blocks = -(-blocks // devices.count()) * devices.count()
    each = -(-count // blocks)
    rows = np.full(len(space.nodes), space.interior.size)
    rows[space.interior] = np.arange(space.interior.size)
    found = {"points": rule.points, "rates": form.rates, "corners": rows[rule.corners], "kinds": rule.kinds}
    padding = {"corners": np.full_like(found["corners"][:1], space.interior.size)}
    extra = blocks * each - count
    padded = {
        name: np.concatenate([array, np.repeat(padding.get(name, array[-1:]), extra, axis=0)])
        for name, array in found.items()
    }
    return {name: array.reshape(blocks, each, *array.shape[1:]) for name, array in padded.items()}
