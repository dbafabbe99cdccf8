"""Ball averages of a fine solution, and how far they are from the coarse state of its own upscaled coefficient."""

from itertools import pairwise
from math import ceil, inf

import numpy as np
from jaxtyping import Float

from hpms.fem.field import AbstractField
from hpms.fem.frame import is_inner
from hpms.fem.rules import ball, panels, tensor
from hpms.fem.validation import ratio

_GAUSS = 3
_PANELS_PER_SCALE = 4
_MOST_PER_AXIS = {1: 60_000, 2: 390, 3: 36}
_CHUNK = 500_000


def ball_means(
    field: AbstractField, nodes: Float[np.ndarray, "m d"], delta: float, scale: float
) -> Float[np.ndarray, " m"]:
    """(Q̄_δ u)(x): the mean of u over the ball of diameter δ where dist(x, ∂Ω) > δ/2, and u(x) elsewhere (the frame).

    **Arguments:** u, the nodes (M, d), δ, and the length `scale` ε over which u varies, which sets the quadrature.
    Raises `ValueError` unless δ and ε are positive.
    """
    if delta <= 0 or scale <= 0:
        raise ValueError(f"delta = {delta} and scale = {scale} must be positive")
    inside = is_inner(nodes, delta)
    inner, frame = np.flatnonzero(inside), np.flatnonzero(~inside)
    offsets, weights = _ball_rule(field.dim, delta, scale)
    means = np.empty(len(nodes))
    means[frame] = field.values(nodes[frame])
    size = max(1, _CHUNK // len(weights))
    for part in (inner[i : i + size] for i in range(0, len(inner), size)):
        around = (nodes[part, None] + offsets).reshape(-1, field.dim)
        means[part] = field.values(around).reshape(len(part), -1) @ weights
    return means


def _ball_rule(dim: int, delta: float, scale: float) -> tuple[Float[np.ndarray, "q d"], Float[np.ndarray, " q"]]:
    ratio = delta / scale
    return ball(dim, delta, radii=4 + ceil(2 * ratio), angles=12 + ceil(7 * ratio), heights=6 + ceil(3 * ratio))


def most_balls(field: AbstractField, delta: float, scale: float) -> float:
    """Over how many balls one can afford `ball_means` of the field."""
    return field.most_points / len(_ball_rule(field.dim, delta, scale)[1])


def framed_rule(
    dim: int, delta: float, scale: float, most_points: float = inf
) -> tuple[Float[np.ndarray, "q d"], Float[np.ndarray, " q"]]:
    """Composite Gauss on Ω with panels of ε/4 or less, broken at δ/2 and 1 - δ/2.

    Where that asks for more than 60000 points per axis (390 in 2-D, 36 in 3-D), or `most_points` in all, the panels are
    larger.
    """
    breaks = [0.0, delta / 2, 1 - delta / 2, 1.0] if delta < 1 else [0.0, 1.0]
    width = max(scale / _PANELS_PER_SCALE, _GAUSS / min(_MOST_PER_AXIS[dim], most_points ** (1 / dim)))
    parts = [panels(low, high, ceil((high - low) / width - 1e-9), _GAUSS) for low, high in pairwise(breaks)]
    points, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return tensor(dim, points, weights)


def consistency_gaps(fine: AbstractField, coarse: AbstractField, delta: float, scale: float) -> tuple[float, float]:
    """‖Q̄_δ u - y‖/‖u‖, the first norm over {dist(x, ∂Ω) > δ/2} and over the rest, the frame; NaN where u = 0.

    **Arguments:** the fine solution u, the coarse state y of K̃₁₁ on the same mesh, the ball's diameter δ, and the
    length `scale` ε over which u varies.
    """
    points, weights = framed_rule(fine.dim, delta, scale, most_balls(fine, delta, scale))
    square = (ball_means(fine, points, delta, scale) - coarse.values(points)) ** 2 * weights
    inside = is_inner(points, delta)
    interior, frame = (ratio(float(square[part].sum()) ** 0.5, fine.norms()[0]) for part in (inside, ~inside))
    return interior, frame
