"""Collocation points and what the residual needs there, cut into blocks."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from hpms.machine.devices import jitted
from hpms.problem.domain import AbstractDomain
from hpms.problem.law.base import AbstractMedium
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import Sites, cut, sites

INTERIOR: str = "interior"
BOUNDARY: str = "boundary"
FLUX: str = "flux"  # on those parts of ∂Ω that have a condition for it


class Collocation(eqx.Module):
    """M points of a set S in blocks, the data there, and quadrature `weights` times M/|S|, 0 at the padding."""

    sites: Sites
    there: Any
    weights: Float[Array, "n block"]

    @property
    def count(self) -> int:
        """M."""
        return self.sites.count

    @property
    def blocks(self) -> tuple[Float[Array, "n block d"], Any, Float[Array, "n block"]]:
        """What a scan over the blocks runs through."""
        return self.sites.points, self.there, self.weights


def collocate(
    problem: LiftedProblem,
    points: Mapping[str, Float[Array, "_ d"]],
    weights: Float[np.ndarray, " m"],
    block: int,
    dtype: jnp.dtype,
) -> dict[str, Collocation]:
    """The points of each set in the network's precision: x^r with the medium, in equal blocks of at most `block`
    points, and x^b in one; with conditions of one's own those on faces for values and for fluxes have a weight of 1.

    Raises `UserError` where the coefficient is not positive and finite at a point, or the source not finite.
    """
    medium = problem.medium(points[INTERIOR])
    medium.check(np.asarray(points[INTERIOR]))
    return _blocks(problem, points, medium, weights, block, dtype)


@runtime_checkable
class Points(Protocol):
    """A rule for points."""

    def sample(self, key: PRNGKeyArray, domain: AbstractDomain) -> tuple[Float[Array, "m d"], Float[Array, "b d"]]:
        """x^r and x^b."""
        ...

    def weights(self, domain: AbstractDomain) -> np.ndarray:
        """The quadrature weights of the x^r times M_Ω/|Ω|."""
        ...


class Sampler(eqx.Module):
    """The points at an iteration where they are fresh, by `sample` of the rule `points`, and the medium there."""

    problem: LiftedProblem
    key: PRNGKeyArray
    points: Points = eqx.field(static=True)
    block: int = eqx.field(static=True)
    dtype: jnp.dtype = eqx.field(static=True)

    def __call__(self, iteration: Int[Array, ""]) -> dict[str, Collocation]:
        key = jax.random.fold_in(self.key, iteration)
        points = dict(zip((INTERIOR, BOUNDARY), self.points.sample(key, self.problem.domain), strict=True))
        weights = self.points.weights(self.problem.domain)
        medium = self.problem.medium(points[INTERIOR])
        return _blocks(self.problem, points, medium, weights, self.block, self.dtype)


@jitted
def _blocks(
    problem: LiftedProblem,
    points: Mapping[str, Float[Array, "_ d"]],
    medium: AbstractMedium,
    weights: Float[Array | np.ndarray, " m"],
    block: int,
    dtype: jnp.dtype,
) -> dict[str, Collocation]:
    inside, edge = points[INTERIOR], points[BOUNDARY]
    found = {INTERIOR: _collocation(inside, medium, weights, block, dtype)}
    conditions = problem.conditions
    if conditions is None:
        return found | {BOUNDARY: _collocation(edge, None, np.ones(len(edge)), len(edge), dtype)}
    found[BOUNDARY] = _collocation(edge, None, conditions.where(edge, flux=False), len(edge), dtype)
    if conditions.has_flux:
        data = problem.flux_data(edge)
        found[FLUX] = _collocation(edge, data, conditions.where(edge, flux=True), len(edge), dtype)
    return found


def _collocation(points: Array, there: Any, weights: Any, block: int, dtype: jnp.dtype) -> Collocation:
    places = sites(points, block, dtype)
    cut_there = jax.tree.map(lambda array: cut(array, block).astype(dtype), there)
    return Collocation(places, cut_there, places.blocked(jnp.asarray(weights, dtype)))
