"""Smooth approximate distances to groups of a polygon's edges, and functions that vanish on them.

Sukumar and Srivastava (2022), after Rvachev, Sheiko, Shapiro and Tsukanov (2001). For an edge of length 1, with the
signed distance f to its line, positive within, and the distance ρ to its middle,

    t = 1/4 - ρ²,    g = (√(t² + f⁴) - t)/2,    φ = √(f² + g²),

so that φ = 0 on the edge, φ > 0 elsewhere and ∂φ/∂n = 1 on the edge; within the circle t > 0 around it φ is written as
±f √(1 + (g/f)²), whose derivatives exist on the edge itself. Edges are joined by φ = (Σ_i φ_i^-2)^(-1/2), where
∂φ/∂n = 1 and ∂²φ/∂n² = ∂²φ_i/∂n² on edge i.
At the ends of edges φ has no second derivatives. Of holes that stand for circles φ is the distance to the circle,
which has them.
"""

from collections.abc import Sequence
from functools import lru_cache, reduce
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from hpms.fem.mesh.polygon import Polygon, Round
from hpms.jet import Forms, Jet, activate, add, affine, columns, concatenate, multiply, scale

_ROUNDING = 32  # in units of the last place of the coordinates
_RAYS = (0.125, 0.375, 0.625, 0.875)


class PolygonDistance(eqx.Module):
    """φ_g, g = 1..G, for `groups` of a polygon's edges and holes, by the names of these.

    `scales` are the half widths, halved, of the groups' neighbourhoods: a quarter of the polygon's width as seen from
    the group, or from all of them where that is less.
    """

    starts: Float[np.ndarray, "n 2"]
    spans: Float[np.ndarray, "n 2"]
    scales: tuple[float, ...] = eqx.field(static=True)
    ends: tuple[int, ...] = eqx.field(static=True)
    rounds: tuple[tuple[Round, ...], ...] = eqx.field(static=True)

    def __init__(self, polygon: Polygon, groups: Sequence[Sequence[str]]):
        segments, self.ends, self.scales, self.rounds = _grouped(polygon, tuple(map(tuple, groups)))
        self.starts, self.spans = segments[:, 0], segments[:, 1] - segments[:, 0]

    def jet(self, x: Float[Array, "m d"], groups: Sequence[int], forms: Forms | None = None) -> Jet:
        """Values, gradients and the second derivatives of the `forms` at M points, (M, len(groups))."""
        return reduce(concatenate, [self._of(x, group, forms) for group in groups])

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, " g"]:
        """φ at one point."""
        return self.jet(x[None], range(len(self.scales))).value[0]

    def _of(self, x: Float[Array, "m d"], group: int, forms: Forms | None) -> Jet:
        here, rounds = slice(self.ends[group], self.ends[group + 1]), self.rounds[group]
        parts = [_to_circles(x, np.array(rounds), forms)] if rounds else []
        if here.stop > here.start:
            parts.append(_to_segments(x, self.starts[here], self.spans[here], forms))
        each = reduce(concatenate, parts)
        return each if each.value.shape[1] == 1 else _joined(each)


def vanishing(
    distance: PolygonDistance,
    x: Float[Array, "m d"],
    groups: Sequence[int],
    scales: float | Sequence[float] | None = None,
    forms: Forms | None = None,
) -> Jet:
    """The jet of l = Π_g tanh(φ_g/s_g), which vanishes on the `groups` and is about 1 in the middle, (M, 1).

    `scales` are s, one for all or one for each group; those of the distance for None.

    The product has bounded second derivatives where two groups meet: at the corner of two edges with the normals n and
    m, l ~ φ_1 φ_2 and Δl → 2 n·m/(s_1 s_2), whereas Δl ~ 1/r for functions with ∂l/∂n = 1 on both edges, as where
    edges are joined to one group. At re-entrant corners a product would be like r², too, but functions that solve
    -Δw = q grow as r^(π/ω), ω > π: there edges are to be joined.
    """
    given = [distance.scales[group] for group in groups] if scales is None else scales
    every = np.broadcast_to(np.asarray(given, float), len(groups))
    each = distance.jet(x, groups, forms)
    parts = [activate(columns(each, k, k + 1), lambda phi, s=float(s): _saturated(phi, s)) for k, s in enumerate(every)]
    return reduce(multiply, parts)


def _saturated(phi: Array, scale: float) -> tuple[Array, Array, Array]:
    value = jnp.tanh(phi / scale)
    slope = (1 - value**2) / scale
    return value, slope, -2 * value * slope / scale


def _to_segments(
    x: Float[Array, "m d"], starts: Float[np.ndarray, "n d"], spans: Float[np.ndarray, "n d"], forms: Forms | None
) -> Jet:
    """φ for each segment, whose left side is within; up to rounding its right side is, too."""
    square = (spans**2).sum(axis=1)
    length, normal = np.sqrt(square), np.stack([-spans[:, 1], spans[:, 0]])

    def linear(way: np.ndarray) -> Jet:
        weight = way / square
        return affine(x, jnp.asarray(weight, x.dtype), jnp.asarray(-(weight * starts.T).sum(axis=0), x.dtype), forms)

    along, f = linear(spans.T), linear(normal)
    squared = multiply(f, f)
    t = add(multiply(along, _plus(1.0, scale(-1.0, along))), scale(-1.0, squared))
    root = activate(add(multiply(t, t), multiply(squared, squared)), _root)
    beside = t.value > 0
    tilt = scale(0.5, multiply(multiply(f, squared), activate(_where(beside, add(root, t), 1.0), _inverse)))
    rounding = _ROUNDING * jnp.finfo(x.dtype).eps * np.abs(np.stack([starts, starts + spans])).max() / length
    side = jnp.where(f.value >= -jnp.asarray(rounding, x.dtype), 1, -1).astype(x.dtype)
    near = multiply(jax.tree.map(lambda array: side * array, f), activate(_plus(1.0, multiply(tilt, tilt)), _root))
    gap = scale(0.5, add(root, scale(-1.0, t)))
    far = activate(_where(beside, add(squared, multiply(gap, gap)), 1.0, otherwise=True), _root)
    found = jax.tree.map(lambda inner, outer: jnp.where(beside, inner, outer), near, far)
    return jax.tree.map(lambda array: jnp.asarray(length, x.dtype) * array, found)


def _to_circles(x: Float[Array, "m d"], rounds: Float[np.ndarray, "n 3"], forms: Forms | None) -> Jet:
    """φ = |x - x₀| - R for each circle, outside of it."""
    places, radii = rounds[:, :2], jnp.asarray(rounds[:, 2], x.dtype)
    square = None
    for a, axis in enumerate(np.eye(2)):
        weight = jnp.asarray(np.repeat(axis[:, None], len(rounds), axis=1), x.dtype)
        along = affine(x, weight, -jnp.asarray(places[:, a], x.dtype), forms)
        square = multiply(along, along) if square is None else add(square, multiply(along, along))
    assert square is not None
    apart = activate(square, _root)
    return eqx.tree_at(lambda each: each.value, apart, apart.value - radii)


def _joined(each: Jet) -> Jet:
    """(Σ_i φ_i^-2)^(-1/2), by the ratios to the least."""
    least = jnp.argmin(jnp.abs(each.value), axis=1)[:, None]
    base = jax.tree.map(lambda array: jnp.take_along_axis(array, least, axis=1), each)
    zero = _ROUNDING * jnp.finfo(each.value.dtype).eps * jnp.max(each.value, axis=1, keepdims=True)
    one = (jnp.arange(each.value.shape[1]) == least) | (each.value <= zero)
    ratios = _where(~one, multiply(base, activate(_where(~one, each, 1.0), _inverse)), 1.0)
    total = jax.tree.map(lambda array: jnp.sum(array, axis=1, keepdims=True), multiply(ratios, ratios))
    return multiply(base, activate(activate(total, _root), _inverse))


def _plus(number: float, jet: Jet) -> Jet:
    return eqx.tree_at(lambda each: each.value, jet, jet.value + number)


def _where(mask: Bool[Array, "m n"], jet: Jet, number: float, otherwise: bool = False) -> Jet:
    """The jet where the mask is true (or is not, `otherwise`), that of a constant elsewhere."""
    kept = ~mask if otherwise else mask
    zero = jax.tree.map(lambda array: jnp.where(kept, array, 0), jet)
    return eqx.tree_at(lambda each: each.value, zero, jnp.where(kept, jet.value, number))


def _root(value: Array) -> tuple[Array, Array, Array]:
    """√, with the derivatives 0 where they would overflow."""
    positive = value > 100 * jnp.finfo(value.dtype).tiny ** (2 / 3)
    root = jnp.sqrt(jnp.where(positive, value, 1))
    return jnp.where(positive, root, 0), jnp.where(positive, 0.5 / root, 0), jnp.where(positive, -0.25 / root**3, 0)


def _inverse(value: Array) -> tuple[Array, Array, Array]:
    return 1 / value, -1 / value**2, 2 / value**3


@lru_cache(maxsize=16)
def _grouped(
    polygon: Polygon, groups: tuple[tuple[str, ...], ...]
) -> tuple[Float[np.ndarray, "n 2 2"], tuple[int, ...], tuple[float, ...], tuple[tuple[Round, ...], ...]]:
    """The edges of the groups behind each other, where these end, their scales, and the circles in them."""
    every = [np.flatnonzero(np.isin(polygon.labels, [polygon.parts.index(part) for part in group])) for group in groups]
    turned, ends = _turned(polygon), np.cumsum([0, *map(len, every)]).tolist()
    scales = _scales(turned[np.concatenate(every)], tuple(ends))
    known = dict(zip(polygon.parts[len(polygon.outer) :], polygon.rounds, strict=False))
    rounds = tuple(tuple(each for part in group if (each := known.get(part)) is not None) for group in groups)
    straight = [[part for part in group if known.get(part) is None] for group in groups]
    rest = [np.flatnonzero(np.isin(polygon.labels, [polygon.parts.index(part) for part in each])) for each in straight]
    return turned[np.concatenate(rest)], tuple(np.cumsum([0, *map(len, rest)]).tolist()), scales, rounds


def _turned(polygon: Polygon) -> Float[np.ndarray, "n 2 2"]:
    """The edges, such that the polygon lies to their left."""
    segments, start = polygon.segments.copy(), 0
    for number, ring in enumerate(polygon.rings):
        part = segments[start : start + len(ring)]
        ends = part - part[0, 0]
        area = (ends[:, 0, 0] * ends[:, 1, 1] - ends[:, 0, 1] * ends[:, 1, 0]).sum()
        if (area > 0) != (number == 0):
            part[:] = part[:, ::-1].copy()
        start += len(ring)
    return segments


def _scales(segments: Float[np.ndarray, "n 2 2"], ends: tuple[int, ...]) -> tuple[float, ...]:
    """A quarter of the width of the polygon, by rays into it from its edges: the median, weighted by length."""
    start, span = segments[:, 0], segments[:, 1] - segments[:, 0]
    length = np.linalg.norm(span, axis=1)
    inward = np.stack([-span[:, 1], span[:, 0]], axis=1) / length[:, None]
    widths = np.empty((len(segments), len(_RAYS)))
    for k, place in enumerate(_RAYS):
        for number, (origin, way) in enumerate(zip(start + place * span, inward, strict=True)):
            gap = start - origin
            across = way[0] * span[:, 1] - way[1] * span[:, 0]
            across[number] = 0
            safe = np.where(across == 0, np.inf, across)
            reach = (gap[:, 0] * span[:, 1] - gap[:, 1] * span[:, 0]) / safe
            hit = (gap[:, 0] * way[1] - gap[:, 1] * way[0]) / safe
            met = (across != 0) & (reach > 0) & (hit >= 0) & (hit <= 1)
            widths[number, k] = reach[met].min(initial=np.inf)
    weights = np.repeat(length[:, None], len(_RAYS), axis=1)
    whole = _median(widths, weights)
    groups = [slice(*pair) for pair in pairwise(ends)]
    return tuple(min(whole, _median(widths[group], weights[group])) / 4 for group in groups)


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values, axis=None)
    total = np.cumsum(weights.ravel()[order])
    return float(values.ravel()[order][np.searchsorted(total, total[-1] / 2)])
