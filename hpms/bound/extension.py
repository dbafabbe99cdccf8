"""What a network misses of given values on ∂Ω, extended into the domain.

e = w* - w is -v on the faces where values are given. Of all functions with these values the one with the least |||.|||
is orthogonal to what vanishes there, so that |||e|||² <= η² + |||E|||² for every E = v there. With P_a v the values on
the faces across axis a, times 1 - d/δ at the distance d <= δ from them,

    E = v - (1 - P_1)...(1 - P_d) v = Σ_S (-1)^{|S|+1} Π_{a in S} P_a v,   S not empty,

the transfinite interpolation of Gordon and Hall (1973); δ is the best of a few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations, pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from hpms.fem.faces import Face
from hpms.machine.devices import compiled
from hpms.network.base import Parametrised, jet_of
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import cut, visit_blocks

_FIRST, _WIDER = 0.25, 4  # δ/ε, and how much wider the next layers are
_PER_EPS, _LEAST, _RESOLVED = 4, 64, 2  # cells in an ε, along a side, and in an ε where E is seen
_EACH, _BLOCK = 3, 2000  # points of a cell along an axis, and of a block


@dataclass(frozen=True)
class Extension:
    """|||E|||² in parts (m,) at `points` (m, d), and ∫E², of all lifted problems together."""

    points: Float[np.ndarray, "m d"]
    energy: Float[np.ndarray, " m"]
    square: float
    is_resolved: bool


def extension(
    model: Parametrised, theta: Float[Array, " p"], problem: LiftedProblem, held: Bool[np.ndarray, "d 2"], most: float
) -> Extension:
    """The one with the least energy, of v on the faces that are `held`, with at most about `most` points."""
    half, widths = min(problem.domain.sides) / 2, [_FIRST * problem.domain.eps]
    while widths[-1] < half:
        widths.append(_WIDER * widths[-1])
    every = [_extended(model, theta, problem, held, min(width, half), most / len(widths)) for width in widths]
    return min(every, key=lambda each: (not each.is_resolved, float(each.energy.sum())))


def _extended(
    model: Parametrised, theta: Array, problem: LiftedProblem, held: np.ndarray, width: float, most: float
) -> Extension:
    step = min(problem.domain.eps / _PER_EPS, min(problem.domain.sides) / _LEAST)
    while (rule := _Rule(problem.domain.sides, held, width, step)).count > most and step < width:
        step *= 2
    fluxes = () if problem.conditions is None else [each.face for each in problem.conditions.faces if each.is_flux]
    parts = [rule.inside(), *(rule.beside(face) for face in fluxes)]
    values = [
        _densities(
            model, theta, problem, cut(jnp.asarray(points), _BLOCK), jnp.asarray(held), jnp.asarray(width), bool(number)
        )
        for number, (points, _) in enumerate(parts)
    ]
    flat = [np.asarray(each).reshape(-1, 2)[: len(points)] for each, (points, _) in zip(values, parts, strict=True)]
    energy = [weights * each[:, 0] for each, (_, weights) in zip(flat, parts, strict=True)]
    square = float(parts[0][1] @ flat[0][:, 1])
    points = np.concatenate([points for points, _ in parts])
    return Extension(points, np.concatenate(energy), square, _RESOLVED * step <= problem.domain.eps)


class _Rule:
    """Gauss points in layers of the width δ beside held faces of a box, in cells no longer than `step`."""

    def __init__(self, sides: Sequence[float], held: np.ndarray, width: float, step: float):
        self._sides = sides
        self._axes = [
            _line(side, low, high, width, step) for side, (low, high) in zip(sides, held.tolist(), strict=True)
        ]
        whole = np.prod([len(points) for points, _, _ in self._axes])
        self.count = float(whole - np.prod([np.sum(~near) for _, _, near in self._axes]))

    def inside(self) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        """Points and weights in Ω."""
        return self._product(self._axes)

    def beside(self, face: Face) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        """Points and weights on a face."""
        axis, end = face
        at = np.array([end * self._sides[axis]]), np.ones(1), np.zeros(1, bool)
        return self._product([at if a == axis else each for a, each in enumerate(self._axes)])

    def _product(self, axes: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
        near = np.zeros([len(points) for points, _, _ in axes], bool)
        for axis, (_, _, each) in enumerate(axes):
            near |= each.reshape([-1 if a == axis else 1 for a in range(len(axes))])
        chosen = np.nonzero(near)
        points = np.stack([points[i] for (points, _, _), i in zip(axes, chosen, strict=True)], axis=1)
        return points, np.prod([weights[i] for (_, weights, _), i in zip(axes, chosen, strict=True)], axis=0)


def _line(side: float, low: bool, high: bool, width: float, step: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, weights and whether they lie in a layer, along an axis."""
    ends = sorted({0.0, width if low else 0.0, side - width if high else side, side})
    nodes, shares = np.polynomial.legendre.leggauss(_EACH)
    points, weights = [], []
    for begin, end in pairwise(ends):
        count = max(1, round((end - begin) / step))
        h = (end - begin) / count
        points.append((begin + h * (np.arange(count)[:, None] + (1 + nodes) / 2)).ravel())
        weights.append(np.tile(h * shares / 2, count))
    x = np.concatenate(points)
    return x, np.concatenate(weights), (low & (x < width)) | (high & (x > side - width))


@compiled
def _densities(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    blocks: Float[Array, "n b d"],
    held: Bool[Array, "d 2"],
    width: Float[Array, ""],
    on_face: bool,
) -> Float[Array, "n b 2"]:
    """∇E·K∇E + c E², on a face a E², and E²."""

    def block(points: Array) -> Array:
        value, slope = _transfinite(model, theta, problem, points, held, width)
        square = jnp.sum(value**2, axis=1)
        if on_face:
            return jnp.stack([problem.flux_data(points).rate * square, square], axis=1)
        tensor = jax.vmap(problem.coefficient.value)(points)
        flux = slope * tensor[:, None, None] if tensor.ndim == 1 else jnp.einsum("mab,mlb->mla", tensor, slope)
        rate = problem.law.reaction
        reaction = 0.0 if rate is None else jax.vmap(rate.value)(points) * square
        return jnp.stack([jnp.sum(slope * flux, axis=(1, 2)) + reaction, square], axis=1)

    return visit_blocks(block, blocks)


def _transfinite(
    model: Parametrised, theta: Array, problem: LiftedProblem, points: Array, held: Array, width: Array
) -> tuple[Float[Array, "b l"], Float[Array, "b l d"]]:
    """E and ∇E at points, δ being at most half of a side."""
    sides, dim = jnp.asarray(problem.domain.sides), points.shape[1]
    distance = jnp.where(held, jnp.stack([points, sides - points], axis=2), jnp.inf)
    is_high = distance[:, :, 1] < distance[:, :, 0]
    factor = jnp.clip(1 - jnp.min(distance, axis=2) / width, 0, None)
    slope = jnp.where(factor > 0, jnp.where(is_high, 1 / width, -1 / width), 0)
    face = jnp.where(is_high, sides, 0)
    total, gradient = jnp.zeros(()), jnp.zeros(())
    for axes in chain.from_iterable(combinations(range(dim), size) for size in range(1, dim + 1)):
        inside = jnp.array([a in axes for a in range(dim)])
        jet = jet_of(model(theta), jnp.where(inside, face, points).astype(theta.dtype), None)
        v = jet.value.astype(jnp.float64)
        along = jnp.stack(jet.gradient, axis=2).astype(jnp.float64)
        sign = (-1.0) ** (len(axes) + 1)
        weight = sign * jnp.prod(jnp.where(inside, factor, 1), axis=1)
        across = [
            sign * slope[:, b] * jnp.prod(factor[:, [a for a in axes if a != b]], axis=1)
            if b in axes
            else jnp.zeros(len(points))
            for b in range(dim)
        ]
        total = total + weight[:, None] * v
        gradient = gradient + jnp.where(inside, 0, along * weight[:, None, None])
        gradient = gradient + v[:, :, None] * jnp.stack(across, axis=1)[:, None, :]
    return total, gradient
