"""What a network misses of given values on ∂Ω, extended into the domain.

e = w* - w is -v on the faces where values are given. Of all functions with these values the one with the least |||.|||
is orthogonal to what vanishes there, so that |||e|||² <= η² + |||E|||² for every E = v there. With P_a v the values on
the faces across axis a, times 1 - d/δ at the distance d <= δ from them,

    E = v - (1 - P_1)...(1 - P_d) v = Σ_S (-1)^{|S|+1} Π_{a in S} P_a v,   S not empty,

the transfinite interpolation of Gordon and Hall (1973); δ is the best of a few.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from hpms.fem.faces import Face
from hpms.machine.devices import compiled
from hpms.network.base import Parametrised, jet_of
from hpms.problem.conditions import FluxData
from hpms.problem.lifted import LiftedProblem
from hpms.problem.sites import cut, visit_blocks

_FIRST, _WIDER = 0.25, 4  # δ/ε, and how much wider the next layers are
_PER_PERIOD, _LEAST, _EACH = 4, 64, 3  # cells in a period and along the longest side, points of a cell along an axis
_SEEN, _BLOCK = 0.1, 2000  # by how much finer cells may change the energy; points of a block


@dataclass(frozen=True)
class Extension:
    """|||E|||² in parts (m,) at `points` (m, d), and ∫E², of all lifted problems together."""

    points: Float[np.ndarray, "m d"]
    energy: Float[np.ndarray, " m"]
    square: float
    is_resolved: bool

    @property
    def total(self) -> float:
        """|||E|||²."""
        return float(self.energy.sum())


def extension(
    model: Parametrised,
    theta: Float[Array, " p"],
    problem: LiftedProblem,
    held: Bool[np.ndarray, "d 2"],
    periods: Sequence[float],
    most: float,
) -> Extension:
    """The one with the least energy, of v on the faces that are `held`, with at most about `most` points."""
    half, widths = min(problem.domain.sides) / 2, [_FIRST * problem.domain.eps]
    while widths[-1] < half:
        widths.append(_WIDER * widths[-1])
    few = most / (2 ** (problem.domain.dim + 1) * len(widths))

    def on(width: float, finer: int) -> Extension:
        rule = _rule(problem.domain.sides, held, min(width, half), periods, few)
        return _extended(model, theta, problem, held, min(width, half), rule.finer(finer))

    best, width = min(((on(width, 1), width) for width in widths), key=lambda each: each[0].total)
    checked = on(width, 2)
    is_seen = abs(best.total - checked.total) <= _SEEN * checked.total
    return replace(checked, is_resolved=checked.is_resolved and is_seen)


def _extended(
    model: Parametrised, theta: Array, problem: LiftedProblem, held: np.ndarray, width: float, rule: "_Rule"
) -> Extension:
    parts = [rule.inside(), *(rule.beside(face) for face in problem.fluxes)]
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
    return Extension(points, np.concatenate(energy), square, rule.resolves)


@dataclass(frozen=True)
class _Rule:
    """Gauss points in layers of the width δ beside held faces of a box, in cells no longer than `steps`."""

    sides: tuple[float, ...]
    held: np.ndarray
    width: float
    steps: tuple[float, ...]
    periods: tuple[float, ...]

    def finer(self, times: int) -> "_Rule":
        return replace(self, steps=tuple(step / times for step in self.steps))

    @property
    def resolves(self) -> bool:
        """Whether a period has at least two cells."""
        return all(2 * step <= period * (1 + 1e-9) for step, period in zip(self.steps, self.periods, strict=True))

    @property
    def count(self) -> float:
        """How many points there are in Ω."""
        lines = [self._line(axis) for axis in range(len(self.sides))]
        whole = math.prod(len(points) for points, _, _ in lines)
        return float(whole - math.prod(int((~near).sum()) for _, _, near in lines))

    def inside(self) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        """Points and weights in Ω."""
        return _near([self._line(axis) for axis in range(len(self.sides))])

    def beside(self, face: Face) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
        """Points and weights on a face."""
        axis, end = face
        lines = [self._line(a) for a in range(len(self.sides))]
        lines[axis] = np.array([end * self.sides[axis]]), np.ones(1), np.zeros(1, bool)
        return _near(lines)

    def _line(self, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points, weights and whether they lie in a layer, along an axis."""
        side, width, (low, high) = self.sides[axis], self.width, self.held[axis].tolist()
        ends = sorted({0.0, width if low else 0.0, side - width if high else side, side})
        nodes, shares = np.polynomial.legendre.leggauss(_EACH)
        points, weights = [], []
        for begin, end in pairwise(ends):
            count = max(1, math.ceil((end - begin) / self.steps[axis] - 1e-9))
            h = (end - begin) / count
            points.append((begin + h * (np.arange(count)[:, None] + (1 + nodes) / 2)).ravel())
            weights.append(np.tile(h * shares / 2, count))
        x = np.concatenate(points)
        return x, np.concatenate(weights), (low & (x < width)) | (high & (x > side - width))


def _rule(sides: tuple[float, ...], held: np.ndarray, width: float, periods: Sequence[float], most: float) -> _Rule:
    """Four cells in a period, or as many as `most` points allow."""
    longest = max(sides) / _LEAST
    steps = tuple(min(period / _PER_PERIOD, longest) for period in periods)
    found = _Rule(sides, held, width, steps, tuple(periods))
    while found.count > most and max(steps) < max(sides):
        steps = tuple(2 * step for step in steps)
        found = replace(found, steps=steps)
    return found


def _near(lines: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Points of the product that lie in a layer, and weights: those in a layer of the first axis, then of the others
    those in one of the second, ...
    """
    points, weights = [], []
    for axis, (_, _, near) in enumerate(lines):
        chosen = [~n if a < axis else near if a == axis else np.ones(len(n), bool) for a, (_, _, n) in enumerate(lines)]
        x = np.meshgrid(*(line[0][c] for line, c in zip(lines, chosen, strict=True)), indexing="ij")
        w = np.meshgrid(*(line[1][c] for line, c in zip(lines, chosen, strict=True)), indexing="ij")
        points.append(np.stack(x, axis=-1).reshape(-1, len(lines)))
        weights.append(np.prod(np.stack(w, axis=-1), axis=-1).ravel())
    return np.concatenate(points), np.concatenate(weights)


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
            data = problem.flux_data(points)
            assert isinstance(data, FluxData)
            return jnp.stack([data.rate * square, square], axis=1)
        medium = problem.law.at(points)
        slopes = tuple(slope[:, :, axis] for axis in range(slope.shape[2]))
        density = jnp.sum(slope * jnp.stack(medium.stress(slopes), axis=2), axis=(1, 2))
        rate = problem.law.reaction
        reaction = 0.0 if rate is None else jax.vmap(rate.value)(points) * square
        return jnp.stack([density + reaction, square], axis=1)

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
