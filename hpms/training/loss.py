"""The loss J(θ) = Σ_k λ_k ‖r_k(θ)‖², its terms and their order, rows, value and gradient, Eqs. (3.13), (3.24)-(3.26).

Training keeps the coarse state y between coarse updates (Section 4.4); the gradient of J is then that of
L(θ) = Σ_k λ_k ‖r_k(θ)‖² + λ_c p^T (B[κ(θ)] y - F), whose last term is the adjoint part. Its p belongs to the present
means of v: p^T A_k y = ∂_yR_δ·∂y/∂κ_k is taken from the sensitivities ∂y/∂κ_k = -B^{-1} A_k y, which change as little
as y does, while a stored p is as old as the misfit Q̄v - y that it was solved for. The rows of the least-squares form
let y follow κ to first order, too. At a fresh state all have the same gradient, which `hpms check` tests.

Everything that θ does happens at points, so ∇L is a sum over points of pullbacks of v, A^ε v - f^ε and the moments of
κ, whose cotangents are known before the pass over the blocks: the first and third from the means of v (one cheap pass
that computes values only), the second from itself.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from hpms.coupling.base import AbstractCoupling, CoarseView
from hpms.coupling.upscaling.base import AbstractUpscaling
from hpms.network.base import Parametrised, jet_of
from hpms.problem.collocation import Collocation, Sampler
from hpms.problem.sites import Sites, map_blocks, sum_blocks
from hpms.training.term.base import AbstractTerm
from hpms.training.values import densities, density_pullback, value_pullback, values

COUPLING = "coupling"


class Evaluation(eqx.Module):
    """The terms ‖r_k‖², unweighted and in the order of `Loss.names`; κ (p,) and the means (s,) that it is made of; and
    the means Q̄v_i of the coupling.
    """

    terms: Float[Array, " k"]
    kappa: Float[Array, " p"]
    moments: Float[Array, " s"]
    means: Float[Array, "n l"] | None


class Loss(eqx.Module):
    """J of its `terms` over points, the residual of the equation first, and of a `coupling`, None for the plain PINN.

    A `sampler` gives other points at each iteration; those of this object are then for metrics, and the `sites` of a
    coupling's means over collocation points. `sites` None are the residual's points themselves. What needs `weights`
    λ_k or the coarse `view` (with a coupling everything does) comes after `weighted`.
    """

    model: Parametrised
    terms: tuple[AbstractTerm, ...]
    coupling: AbstractCoupling | None
    upscaling: AbstractUpscaling
    sampler: Sampler | None = None
    sites: Sites | None = None
    weights: Float[Array, " k"] | None = None
    view: CoarseView | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The terms in their order, the coupling last."""
        return (*(term.name for term in self.terms), *([] if self.coupling is None else [COUPLING]))

    @property
    def collocation(self) -> Collocation:
        """The points of the residual, at which κ and the means of v are taken, too."""
        return self.terms[0].places

    def at(self, iteration: Int[Array, ""]) -> "Loss":
        """J with the collocation points of an iteration."""
        if self.sampler is None:
            return self
        sites, fresh = self.collocation.sites if self.coupling else None, self.sampler(iteration)
        terms = tuple(replace(term, places=fresh[term.part]) for term in self.terms)
        return replace(self, terms=terms, sampler=None, sites=sites)

    def weighted(self, weights: Float[Array, " k"] | None, view: CoarseView | None) -> "Loss":
        """J with weights λ_k, and the coarse problem as it is at present."""
        return replace(self, weights=weights, view=view)

    @property
    def weighting(self) -> dict[str, Float[Array, ""]]:
        """λ_k by name; the coupling's follows its schedule."""
        assert self.weights is not None
        found = dict(zip(self.names, self.weights, strict=True))
        if self.view is not None:
            found[COUPLING] = found[COUPLING] * self.view.strength
        return found

    @property
    def columns(self) -> int:
        """l, those of v: the lifted problems, or the components of a vector."""
        return self.collocation.there.forcing.shape[-1]

    @property
    def count(self) -> int:
        """R, the number of rows."""
        points = sum(term.places.count for term in self.terms)
        return points * self.columns + (0 if self.coupling is None else self.coupling.count)

    def evaluate(self, theta: Float[Array, " p"]) -> Evaluation:
        """All terms, without gradients, with y as it is."""
        found, moments, means = self._outputs(theta)
        terms = [jnp.sum(rows**2) for rows in found]
        if self.coupling is not None:
            assert means is not None and self.view is not None
            terms.append(jnp.sum(self.coupling.residual(means, self.view.kappa, self.view) ** 2))
        return Evaluation(jnp.stack(terms), self.upscaling.parameters(moments), moments, means)

    def residuals(self, theta: Float[Array, " p"]) -> dict[str, Float[Array, " m"]]:
        """The residual vectors r_k by name, as functions of θ alone: y follows κ to first order."""
        rows, moments, means = self._outputs(theta)
        found = {t.name: t.places.sites.flat(r).ravel() for t, r in zip(self.terms, rows, strict=True)}
        if self.coupling is not None:
            assert means is not None and self.view is not None
            found[COUPLING] = self.coupling.residual(means, self.upscaling.parameters(moments), self.view)
        return found

    def squares(self, residuals: dict[str, Float[Array, " m"]]) -> Float[Array, " k"]:
        """‖r_k‖², in the order of the names."""
        return jnp.stack([jnp.sum(vector**2) for vector in residuals.values()])

    def rows(self, theta: Float[Array, " p"]) -> Float[Array, " r"]:
        """r(θ) in R^R: `residuals` behind each other, each times the root of its weight."""
        return self.stack(self.residuals(theta))

    def stack(self, residuals: dict[str, Float[Array, " m"]]) -> Float[Array, " r"]:
        """`rows` from `residuals`."""
        weight = self.weighting
        return jnp.concatenate([jnp.sqrt(weight[name]) * vector for name, vector in residuals.items()])

    def value(self, theta: Float[Array, " p"]) -> Float[Array, ""]:
        """Σ r_i(θ)²."""
        return jnp.sum(self.rows(theta) ** 2)

    def gradient(self, theta: Float[Array, " p"]) -> tuple[Float[Array, " p"], Float[Array, " k"]]:
        """∇J, adjoint part included, and the unweighted terms."""
        weight = self.weighting
        first, *others = self.terms
        spread, moments, gradient, squares = None, None, jnp.zeros_like(theta), []
        if self.coupling is not None:
            square, pulled, moments = self._coupling_cotangents(theta)
            spread, nodes = self.coupling.spread(weight[COUPLING] * pulled)
            moments = weight[COUPLING] * moments
            gradient += density_pullback(self.model, theta, self.coupling, nodes)
            if spread is not None and self.sites is not None:
                gradient += value_pullback(self.model, theta, self.sites, spread)
                spread = None
            squares.append(square)
        for term in reversed(others):
            square, slope = self._pulled(theta, term, jnp.ones((), theta.dtype))
            gradient += weight[term.name] * slope
            squares.insert(0, square)
        spread = None if spread is None else self.collocation.sites.blocked(spread)
        square, slope = self._pulled(theta, first, weight[first.name], spread, moments)
        return gradient + slope, jnp.stack([square, *squares])

    def term_gradients(self, theta: Float[Array, " p"]) -> dict[str, Float[Array, " p"]]:
        """Unweighted gradients: one per term, and the coupling's adjoint part on its own as `adjoint`.

        `coupling` is the autodiff part with y held fixed; the term's full gradient is `coupling` + `adjoint`.
        """
        one = jnp.ones((), theta.dtype)
        found = {term.name: self._pulled(theta, term, one)[1] for term in self.terms}
        if self.coupling is not None:
            _, pulled, moments = self._coupling_cotangents(theta)
            spread, nodes = self.coupling.spread(pulled)
            found[COUPLING] = density_pullback(self.model, theta, self.coupling, nodes)
            if spread is not None:
                found[COUPLING] += value_pullback(self.model, theta, self.value_sites, spread)
            found["adjoint"] = self.moments_pullback(theta, moments)
        return found

    @property
    def value_sites(self) -> Sites:
        """The points of a coupling's means over collocation points."""
        return self.collocation.sites if self.sites is None else self.sites

    def moments_pullback(self, theta: Float[Array, " p"], cotangent: Float[Array, " s"]) -> Float[Array, " p"]:
        """The gradient of `cotangent` times the means that κ is made of."""
        return self._pulled(theta, self.terms[0], None, None, cotangent)[1]

    def _outputs(
        self, theta: Float[Array, " p"]
    ) -> tuple[list[Float[Array, "n block l"]], Float[Array, " s"], Float[Array, "c k"] | None]:
        """r_k of each term (zero at the padding), the means that κ is made of, and the means of the coupling."""
        first, *others = self.terms

        def outputs(theta: Array, block: tuple[Array, Any, Array]) -> tuple[Array, Array, Array]:
            points, there, weights = block
            jet = jet_of(self.model(theta), points, first.forms)
            return first.rows(jet, there, weights), self.upscaling.moments(points, jet, there, weights), jet.value

        def rows(term: AbstractTerm, theta: Array, block: tuple[Array, Any, Array]) -> Array:
            points, there, weights = block
            return term.rows(jet_of(self.model(theta), points, term.forms), there, weights)

        found, moments, inside = map_blocks(outputs, theta, first.places.blocks)
        rest = [map_blocks(partial(rows, term), theta, term.places.blocks) for term in others]
        known = self.collocation.sites.flat(inside) if self.sites is None else None
        means = None if self.coupling is None else self._means(theta, known)
        return [found, *rest], jnp.sum(moments, axis=0) / self.collocation.count, means

    def _means(self, theta: Float[Array, " p"], inside: Float[Array, "m l"] | None = None) -> Float[Array, "n k"]:
        """Q̄v, from the values `inside` at the collocation points where these are known."""
        assert self.coupling is not None
        if inside is None and self.coupling.at_points:
            inside = values(self.model, theta, self.value_sites)
        return self.coupling.means(inside, densities(self.model, theta, self.coupling))

    def _coupling_cotangents(
        self, theta: Float[Array, " p"]
    ) -> tuple[Float[Array, ""], Float[Array, "n l"], Float[Array, " s"]]:
        """The coupling term and, with y held fixed, its derivative in the means of v; and through κ in the moments."""
        coupling, view = self.coupling, self.view
        assert coupling is not None and view is not None
        means = self._means(theta)
        term, pulled = jax.value_and_grad(lambda m: jnp.sum(coupling.residual(m, view.kappa, view) ** 2))(means)
        (moments,) = jax.vjp(self.upscaling.parameters, view.moments)[1](coupling.adjoint(means, view))
        return term, pulled, moments

    def _pulled(
        self,
        theta: Float[Array, " p"],
        term: AbstractTerm,
        weight: Float[Array, ""] | None,
        spread: Float[Array, "n block l"] | None = None,
        sums: Float[Array, " s"] | None = None,
    ) -> tuple[Float[Array, ""], Float[Array, " p"]]:
        """‖r‖², and the gradient of `weight` times that, of Σ `spread`·v and of `sums` times the means that κ is made
        of, of those that are given, in one pass over the blocks of the term.
        """

        def block_sum(theta: Array, block: Any, cotangent: Array | None) -> tuple[Array, Array]:
            points, there, weights = block
            jet = jet_of(self.model(theta), points, term.forms)
            total, square = jnp.zeros((), theta.dtype), jnp.zeros((), theta.dtype)
            if weight is not None:
                square = jnp.sum(term.rows(jet, there, weights) ** 2)
                total += weight * square
            if cotangent is not None:
                total += jnp.sum(cotangent * jet.value)
            if sums is not None:
                total += jnp.sum(sums * self.upscaling.moments(points, jet, there, weights)) / self.collocation.count
            return total, square

        return sum_blocks(block_sum, theta, term.places.blocks, spread)
