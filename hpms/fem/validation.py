"""Where errors are measured, and how."""

from math import ceil

import numpy as np
from jaxtyping import Float

from hpms.fem.rules import panels, tensor

_GAUSS, _LEAST, _LAYER, _GOLDEN = 4, 8, 4, (5**0.5 - 1) / 2
_MOST_PER_AXIS = {1: 8000, 2: 200, 3: 40}


def validation_points(
    dim: int, eps: float, per_period: int = 16
) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
    """Composite Gauss points (M, d) and weights (M,) on Ω: `per_period` points per axis and length ε, 4 per panel.

    At most 8000 points in 1-D, 200² in 2-D and 40³ in 3-D. Where these are fewer than 8 per length ε, half of those
    along an axis lie within 4ε (or 1/4) of its ends, and the others at another place in each of equal parts: panels
    all alike would meet the oscillation in the same few phases everywhere. Raises `ValueError` unless ε and
    `per_period` are positive.
    """
    if eps <= 0 or per_period < 1:
        raise ValueError(f"eps = {eps} and per_period = {per_period} must be positive")
    wanted, most = ceil(per_period / (_GAUSS * eps) - 1e-9), _MOST_PER_AXIS[dim] // _GAUSS
    if wanted > most and most * _GAUSS * eps < _LEAST:
        return tensor(dim, *_graded(eps, most * _GAUSS))
    return tensor(dim, *panels(0.0, 1.0, min(wanted, most), _GAUSS))


def _graded(eps: float, count: int) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """A quarter of the points within 4ε (or 1/4) of each end, by Gauss, and one in each of equal parts of the rest, at
    a place that runs evenly through all places.
    """
    width, parts = min(_LAYER * eps, 0.25), np.arange(count // 2)
    near, weights = panels(0.0, width, count // (4 * _GAUSS), _GAUSS)
    inner = width + (1 - 2 * width) * (parts + (0.5 + parts * _GOLDEN) % 1.0) / len(parts)
    each = np.full(len(parts), (1 - 2 * width) / len(parts))
    return np.concatenate([near, inner, 1 - near[::-1]]), np.concatenate([weights, each, weights[::-1]])


def relative_errors(
    u: Float[np.ndarray, " m *l"],
    du: Float[np.ndarray, " m *l d"],
    v: Float[np.ndarray, " m *l"],
    dv: Float[np.ndarray, " m *l d"],
    weights: Float[np.ndarray, " m"],
) -> tuple[float, float]:
    """‖u - v‖/‖v‖ and ‖∇u - ∇v‖/‖∇v‖ in L²(Ω) (the second is called the H¹ error), by values at quadrature points.

    **Arguments:** u (M,) and ∇u (M, d), the reference v and ∇v, and the weights (M,). Several functions may lie side by
    side, (M, l) and (M, l, d). NaN where v = 0.
    """

    def norm(values: np.ndarray) -> float:
        return float(weights @ (values**2).reshape(len(weights), -1).sum(axis=1)) ** 0.5

    return ratio(norm(u - v), norm(v)), ratio(norm(du - dv), norm(dv))


def ratio(error: float, size: float) -> float:
    """error/size, NaN where size = 0."""
    return float(error / size) if size > 0 else float("nan")
