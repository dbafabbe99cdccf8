"""Collocation points and what the residual needs there, cut into blocks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from hpms.devices import jitted
from hpms.errors import UserError
from hpms.options.collocation import CollocationOptions
from hpms.problem.lifted import LiftedProblem, Medium
from hpms.problem.sites import Sites, cut, sites


class Collocation(eqx.Module):
    """The M_Ω points x^r in blocks, the medium there, quadrature `weights` times M_Ω/|Ω|, 0 at the padding, and points
    x^b on ∂Ω.
    """

    sites: Sites
    medium: Medium
    weights: Float[Array, "n block"]
    boundary: Float[Array, "b d"]

    @property
    def count(self) -> int:
        """M_Ω."""
        return self.sites.count

    @property
    def blocks(self) -> tuple[Float[Array, "n block d"], Medium, Float[Array, "n block"]]:
        """What a scan over the blocks runs through."""
        return self.sites.points, self.medium, self.weights


def collocate(
    problem: LiftedProblem,
    interior: Float[Array, "m d"],
    boundary: Float[Array, "b d"],
    weights: Float[np.ndarray, " m"],
    block: int,
    dtype: jnp.dtype,
) -> Collocation:
    """Equal blocks of at most `block` points in the network's precision.

    Raises `UserError` where the coefficient is not positive and finite at a point, or the source not finite.
    """
    medium = problem.medium(interior)
    check_medium(interior, medium)
    return _blocks(interior, medium, boundary, weights, block, dtype)


class Sampler(eqx.Module):
    """The points at an iteration where they are fresh, by `sample` of the option `points`, and the medium there."""

    problem: LiftedProblem
    key: PRNGKeyArray
    points: CollocationOptions = eqx.field(static=True)
    block: int = eqx.field(static=True)
    dtype: jnp.dtype = eqx.field(static=True)

    def __call__(self, iteration: Int[Array, ""]) -> Collocation:
        key = jax.random.fold_in(self.key, iteration)
        interior, boundary = self.points.sample(key, self.problem.domain)
        weights = self.points.weights(self.problem.domain.dim)
        return _blocks(interior, self.problem.medium(interior), boundary, weights, self.block, self.dtype)


@jitted
def _blocks(
    interior: Float[Array, "m d"],
    medium: Medium,
    boundary: Float[Array, "b d"],
    weights: Float[Array | np.ndarray, " m"],
    block: int,
    dtype: jnp.dtype,
) -> Collocation:
    places = sites(interior, block, dtype)
    there = jax.tree.map(lambda array: cut(array, block).astype(dtype), medium)
    return Collocation(places, there, places.blocked(jnp.asarray(weights, dtype)), boundary.astype(dtype))


def check_medium(points: Float[Array, "m d"], medium: Medium) -> None:
    """Raises `UserError` at the first point where K^ε is not positive and finite, or f^ε is not finite."""
    value, forcing = np.asarray(medium.coefficient), np.asarray(medium.forcing)
    bad = ~(np.isfinite(value) & (value > 0) & np.isfinite(np.asarray(medium.gradient)).all(axis=1))
    if bad.any():
        i = int(np.argmax(bad))
        where = ", ".join(f"{x:.4g}" for x in np.asarray(points[i]))
        raise UserError(f"the coefficient must be positive with a finite gradient, but K({where}) = {value[i]:.4g}.")
    if not np.isfinite(forcing).all():
        i = int(np.argmax(~np.isfinite(forcing)))
        where = ", ".join(f"{x:.4g}" for x in np.asarray(points[i]))
        raise UserError(f"the source must be finite, but at ({where}) it is not.")
