"""The network's errors against reference solutions."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.machine.devices import compiled, jitted
from hpms.network.base import Parametrised
from hpms.problem.sites import Sites, cut, sites, visit_blocks


class Errors(eqx.Module):
    """Relative errors of v_i in L² and of ∇v_i (called H¹), i = 1..l, and of all together, in the product space."""

    l2: Float[Array, ""]
    h1: Float[Array, ""]
    lifted_l2: Float[Array, " l"]
    lifted_h1: Float[Array, " l"]

    def named(self) -> dict[str, float | list[float]]:
        """By the names of the metrics; those of each lifted problem where there are several."""
        found: dict[str, float | list[float]] = {"relative_l2": float(self.l2), "relative_h1": float(self.h1)}
        if self.lifted_l2.size > 1:
            found |= {"lifted_l2": self.lifted_l2.tolist(), "lifted_h1": self.lifted_h1.tolist()}
        return found


class Validation(eqx.Module):
    """Quadrature points, weights (zero at the padding), and the references' u_i and ∇u_i there.

    Errors are relative to u_i, or where there is a `lift` ℓ to w = u + ℓ: its values and gradients at the points. Where
    w `floats`, the mean of v - u does not count.
    """

    sites: Sites
    weights: Float[Array, "n block"]
    value: Float[Array, "n block l"]
    gradient: Float[Array, "n block l d"]
    lift: tuple[Float[Array, "n block l"], Float[Array, "n block l d"]] | None = None
    floats: bool = eqx.field(static=True, default=False)

    def errors(self, model: Parametrised, theta: Float[Array, " p"]) -> Errors:
        """‖v_i - u_i‖/‖u_i‖ and ‖∇v_i - ∇u_i‖/‖∇u_i‖ in L²(Ω), by quadrature."""

        def squares(block: tuple[Array, Array, Array, Array, tuple[Array, Array] | None]) -> Array:
            points, weights, u, du, lift = block
            v, dv = _fields(model, theta, points)
            weights = weights[:, None]
            if lift is not None:
                u, du, v, dv = u + lift[0], du + lift[1], v + lift[0], dv + lift[1]
            return jnp.stack(
                [
                    jnp.sum(weights * (v - u) ** 2, axis=0),
                    jnp.sum(weights * u**2, axis=0),
                    jnp.sum(weights * jnp.sum((dv - du) ** 2, axis=2), axis=0),
                    jnp.sum(weights * jnp.sum(du**2, axis=2), axis=0),
                    *([jnp.sum(weights * (v - u), axis=0)] if self.floats else []),
                ]
            )

        blocks = (self.sites.points, self.weights, self.value, self.gradient, self.lift)
        sums = jnp.sum(visit_blocks(squares, blocks), axis=0)
        if self.floats:
            sums = sums[:4].at[0].add(-(sums[4] ** 2) / jnp.sum(self.weights))
        error, size, slope_error, slope_size = sums
        l2, h1 = jnp.sqrt(jnp.sum(sums[0::2], axis=1) / jnp.sum(sums[1::2], axis=1))
        return Errors(l2=l2, h1=h1, lifted_l2=jnp.sqrt(error / size), lifted_h1=jnp.sqrt(slope_error / slope_size))


def _fields(
    model: Parametrised, theta: Array, points: Float[Array, "m d"]
) -> tuple[Float[Array, "m l"], Float[Array, "m l d"]]:
    jet = model(theta).jet(points.astype(theta.dtype))
    return jet.value.astype(jnp.float64), jnp.stack(jet.gradient, axis=2).astype(jnp.float64)


def validation(
    points: np.ndarray,
    weights: np.ndarray,
    value: Float[np.ndarray, "m l"],
    gradient: Float[np.ndarray, "m l d"],
    block: int,
    lift: tuple[np.ndarray, np.ndarray] | None = None,
    floats: bool = False,
) -> Validation:
    """`Validation` from points (M, d), weights (M,), u_i and ∇u_i, and ℓ and ∇ℓ where errors are those of w, in blocks
    of at most `block` points.
    """
    return _blocked(points, weights, value, gradient, lift, block, floats)


@jitted
def _blocked(points: Any, weights: Any, value: Any, gradient: Any, lift: Any, block: int, floats: bool) -> Validation:
    places = sites(jnp.asarray(points), block, jnp.dtype("float64"))
    there = jax.tree.map(lambda array: cut(jnp.asarray(array), block), (value, gradient, lift))
    return Validation(places, places.blocked(jnp.asarray(weights)), *there, floats=floats)


@compiled
def relative_errors(measure: Validation, model: Parametrised, theta: Float[Array, " p"]) -> Errors:
    """`Validation.errors`, compiled."""
    return measure.errors(model, theta)


@compiled
def fields(
    model: Parametrised, theta: Float[Array, " p"], sites: Sites
) -> tuple[Float[Array, "m l"], Float[Array, "m l d"]]:
    """v_i and ∇v_i at the points, in float64."""
    value, gradient = visit_blocks(lambda block: _fields(model, theta, block), sites.points)
    return sites.flat(value), sites.flat(gradient)
