"""The objective J(θ) = Σ_k λ_k ‖r_k(θ)‖² as named residual vectors, and its gradient, Eqs. (3.13), (3.24)-(3.26).

With the coarse state y and the adjoint p held constant, the gradient of J is that of

    L(θ) = Σ_k λ_k ‖r_k(θ)‖² + λ_c p^T (B_h[θ] y - F),

whose last term is the adjoint part. Everything that θ does happens at points, so ∇L is a sum over points of pullbacks
of three numbers, v, A^ε v - f^ε and the flux K(∂₁v + 1), whose cotangents are known before the pass over the blocks:
the first and third from the means of v (one cheap pass that computes values only), the second from itself.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from hpms.coupling.base import AbstractCoupling, AbstractCouplingState
from hpms.network.base import Parametrised
from hpms.problem.collocation import Collocation, Sampler
from hpms.problem.lifted import Medium, flux, residual
from hpms.problem.sites import Sites

RESIDUAL, BOUNDARY, COUPLING = "residual", "boundary", "coupling"


class Evaluation(eqx.Module):
    """The terms ‖r_k‖², unweighted and in the order of `Objective.names`, the mean flux K̃₁₁ and the means Q̄v."""

    terms: Float[Array, " k"]
    mean_flux: Float[Array, ""]
    means: Float[Array, " n"] | None


class Objective(eqx.Module):
    """J for given collocation points; `volume` = |Ω|, `surface` = |∂Ω|, `coupling` None for the plain PINN.

    A `sampler` gives other points at each iteration; those of this object are then for metrics, and the `sites` of a
    coupling's means over collocation points. `sites` None are the collocation points themselves.
    """

    model: Parametrised
    collocation: Collocation
    coupling: AbstractCoupling | None
    names: tuple[str, ...] = eqx.field(static=True)
    volume: float = eqx.field(static=True)
    surface: float = eqx.field(static=True)
    sampler: Sampler | None = None
    sites: Sites | None = None

    def at(self, iteration: Int[Array, ""]) -> "Objective":
        """J with the collocation points of an iteration."""
        if self.sampler is None:
            return self
        sites = None if self.coupling is None else self.collocation.sites
        return replace(self, collocation=self.sampler(iteration), sampler=None, sites=sites)

    def residuals(
        self, theta: Float[Array, " p"], state: AbstractCouplingState | None
    ) -> dict[str, Float[Array, " m"]]:
        """The named residual vectors r_k as functions of θ alone: y follows K̃ to first order, as `linearised` says."""
        found = {}
        pointwise, fluxes, means = self._outputs(theta)
        found[RESIDUAL] = self.collocation.sites.flat(pointwise)
        if BOUNDARY in self.names:
            found[BOUNDARY] = self._boundary(theta)
        if self.coupling is not None and state is not None:
            assert means is not None
            found[COUPLING] = self.coupling.linearised(means, jnp.sum(fluxes) / self.collocation.count, state)
        return found

    def evaluate(self, theta: Float[Array, " p"], state: AbstractCouplingState | None) -> Evaluation:
        """All terms, without gradients."""
        pointwise, fluxes, means = self._outputs(theta)
        terms = [jnp.sum(pointwise**2)]
        if BOUNDARY in self.names:
            terms.append(jnp.sum(self._boundary(theta) ** 2))
        if self.coupling is not None and state is not None:
            assert means is not None
            terms.append(jnp.sum(self.coupling.residual(means, state) ** 2))
        return Evaluation(jnp.stack(terms), jnp.sum(fluxes) / self.collocation.count, means)

    def gradient(
        self, theta: Float[Array, " p"], weights: Float[Array, " k"], state: AbstractCouplingState | None
    ) -> tuple[Float[Array, " p"], Float[Array, " k"]]:
        """∇J with the weights λ, adjoint part included, and the unweighted terms."""
        weight = self.weighting(weights, state)
        values, fluxes, gradient, terms = None, None, jnp.zeros_like(theta), []
        if self.coupling is not None and state is not None:
            means = self._means(theta)
            coupling_term, pulled = self._coupling_cotangent(means, state)
            values, nodes = self.coupling.spread(weight[COUPLING] * pulled)
            fluxes = weight[COUPLING] * self.coupling.adjoint(means, state)
            gradient += self._value_pullback(theta, self.coupling.nodes, nodes)
            if values is not None and self.sites is not None:
                gradient += self._value_pullback(theta, self.sites, values)
                values = None
            terms.append(coupling_term)
        if BOUNDARY in self.names:
            term, boundary = jax.value_and_grad(lambda t: jnp.sum(self._boundary(t) ** 2))(theta)
            gradient += weight[BOUNDARY] * boundary
            terms.insert(0, term)
        values = None if values is None else self.collocation.sites.blocked(values)
        term, interior = self._interior(theta, weight[RESIDUAL], values, fluxes)
        return gradient + interior, jnp.stack([term, *terms])

    def weighting(
        self, weights: Float[Array, " k"], state: AbstractCouplingState | None
    ) -> dict[str, Float[Array, ""]]:
        """λ_k by name; the coupling's follows its schedule."""
        found = dict(zip(self.names, weights, strict=True))
        if COUPLING in found and state is not None:
            found[COUPLING] = found[COUPLING] * state.strength
        return found

    @property
    def trivial_loss(self) -> Float[Array, ""]:
        """J_res of v = 0, |Ω|/M_Ω Σ f^ε(x^r)²: where training that finds no solution ends."""
        return jnp.sum((self._scale * self.collocation.mask * self.collocation.medium.forcing) ** 2)

    def term_gradients(
        self, theta: Float[Array, " p"], state: AbstractCouplingState | None
    ) -> dict[str, Float[Array, " p"]]:
        """Unweighted gradients: one per term, and the coupling's adjoint part on its own as `adjoint`.

        `coupling` is the autodiff part with y held fixed; the term's full gradient is `coupling` + `adjoint`.
        """
        found = {RESIDUAL: self._interior(theta, jnp.ones((), theta.dtype), None, None)[1]}
        if BOUNDARY in self.names:
            found[BOUNDARY] = jax.grad(lambda t: jnp.sum(self._boundary(t) ** 2))(theta)
        if self.coupling is not None and state is not None:
            means = self._means(theta)
            values, nodes = self.coupling.spread(self._coupling_cotangent(means, state)[1])
            found[COUPLING] = self._value_pullback(theta, self.coupling.nodes, nodes)
            if values is not None:
                found[COUPLING] += self._value_pullback(theta, self.value_sites, values)
            found["adjoint"] = self._interior(theta, None, None, self.coupling.adjoint(means, state))[1]
        return found

    def _outputs(
        self, theta: Float[Array, " p"]
    ) -> tuple[Float[Array, "n block"], Float[Array, "n block"], Float[Array, " c"] | None]:
        """r (scaled, zero at the padding), fluxes and means; a pullback computes each block's activations again."""

        def outputs(block: Any) -> tuple[Array, Array, Array]:
            points, medium, mask = block
            jet = self.model(theta).jet(points)
            return self._scale * mask * residual(jet, medium), mask * flux(jet, medium), jet.value[:, 0]

        pointwise, fluxes, values = jax.lax.map(jax.checkpoint(outputs), self.collocation.blocks)
        means = None
        if self.coupling is not None and self.coupling.at_points and self.sites is None:
            means = self.coupling.means(self.collocation.sites.flat(values), self._values(theta, self.coupling.nodes))
        elif self.coupling is not None:
            means = self._means(theta)
        return pointwise, fluxes, means

    @property
    def _scale(self) -> float:
        return (self.volume / self.collocation.count) ** 0.5

    def _boundary(self, theta: Float[Array, " p"]) -> Float[Array, " b"]:
        return self.boundary_scale * self.model(theta).jet(self.collocation.boundary).value[:, 0]

    @property
    def boundary_scale(self) -> float:
        """The factor of v in the boundary's rows."""
        return (self.surface / self.collocation.boundary.shape[0]) ** 0.5

    def point_residual(
        self, theta: Float[Array, " p"], point: Float[Array, " d"], medium: Medium, mask: Float[Array, ""]
    ) -> Float[Array, ""]:
        """One entry of the residual vector, for its derivative alone."""
        jet = self.model(theta).jet(point[None])
        return self._scale * mask * residual(jet, jax.tree.map(lambda a: a[None], medium))[0]

    def flux_gradient(self, theta: Float[Array, " p"]) -> Float[Array, " p"]:
        """The derivative of the mean flux."""
        return self._interior(theta, None, None, jnp.ones((), theta.dtype))[1]

    @property
    def value_sites(self) -> Sites:
        """The points of a coupling's means over collocation points."""
        return self.collocation.sites if self.sites is None else self.sites

    def _means(self, theta: Float[Array, " p"]) -> Float[Array, " n"]:
        assert self.coupling is not None
        values = self._values(theta, self.value_sites) if self.coupling.at_points else None
        return self.coupling.means(values, self._values(theta, self.coupling.nodes))

    def _values(self, theta: Float[Array, " p"], sites: Sites) -> Float[Array, " m"]:
        def block_values(points: Array) -> Array:
            return self.model(theta).jet(points).value[:, 0]

        return sites.flat(jax.lax.map(jax.checkpoint(block_values), sites.points))

    def _value_pullback(
        self, theta: Float[Array, " p"], sites: Sites, cotangent: Float[Array, " m"]
    ) -> Float[Array, " p"]:
        def block_sum(theta: Array, points: Array, cotangent: Array) -> tuple[Array, Array]:
            total = jnp.sum(cotangent * self.model(theta).jet(points).value[:, 0])
            return total, total

        return sum_over_blocks(block_sum, theta, sites.points, sites.blocked(cotangent))[1]

    def _coupling_cotangent(
        self, means: Float[Array, " n"], state: AbstractCouplingState
    ) -> tuple[Float[Array, ""], Float[Array, " n"]]:
        coupling = self.coupling
        assert coupling is not None
        return jax.value_and_grad(lambda m: jnp.sum(coupling.residual(m, state) ** 2))(means)

    def _interior(
        self,
        theta: Float[Array, " p"],
        weight: Float[Array, ""] | None,
        values: Float[Array, "n block"] | None,
        fluxes: Float[Array, ""] | None,
    ) -> tuple[Float[Array, ""], Float[Array, " p"]]:
        """J_res, and the pullback at the interior points of what is given, block by block."""
        count = self.collocation.count

        def block_sum(theta: Array, block: Any, cotangent: Array | None) -> tuple[Array, Array]:
            points, medium, mask = block
            jet = self.model(theta).jet(points)
            total, term = jnp.zeros((), theta.dtype), jnp.zeros((), theta.dtype)
            if weight is not None:
                term = jnp.sum((self._scale * mask * residual(jet, medium)) ** 2)
                total += weight * term
            if cotangent is not None:
                total += jnp.sum(cotangent * jet.value[:, 0])
            if fluxes is not None:
                total += fluxes * jnp.sum(mask * flux(jet, medium)) / count
            return total, term

        return sum_over_blocks(block_sum, theta, self.collocation.blocks, values)


def sum_over_blocks(
    block_sum: Callable[[Array, Any, Any], tuple[Array, Array]], theta: Array, *blocks: Any
) -> tuple[Array, Array]:
    """Σ over blocks of the auxiliary value and of the gradient in θ of `block_sum(θ, *block) -> (total, value)`.

    The gradient is taken inside the loop, so the activations of one block at a time are alive.
    """

    def add(carry: tuple[Array, Array], block: tuple[Any, ...]) -> tuple[tuple[Array, Array], None]:
        (_, value), gradient = jax.value_and_grad(block_sum, has_aux=True)(theta, *block)
        return (carry[0] + value, carry[1] + gradient), None

    start = (jnp.zeros((), theta.dtype), jnp.zeros_like(theta))
    return jax.lax.scan(add, start, blocks)[0]
