"""Values of the coefficient and the source at quadrature points."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from hpms.errors import UserError

Function = Callable[[np.ndarray], np.ndarray]  # points (M, d) -> values (M,)


def sample_coefficient(coefficient: Function, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
    """K at the points; `UserError` that names the first where it is not positive and finite."""
    values = _sample(coefficient, points)
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        where, value = _first(points, bad), values[np.argmax(bad)]
        raise UserError(f"the coefficient must be positive and finite, but K({where}) = {value:.4g}.")
    return values


def sample_source(source: Function, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
    """q at the points; `UserError` that names the first where it is not finite."""
    values = _sample(source, points)
    bad = ~np.isfinite(values)
    if bad.any():
        raise UserError(f"the source must be finite, but at ({_first(points, bad)}) it is not.")
    return values


def _sample(function: Function, points: np.ndarray) -> Float[np.ndarray, " m"]:
    values = np.asarray(function(points), dtype=np.float64)
    if values.shape != points.shape[:1]:
        raise ValueError(f"values of shape {values.shape} for points of shape {points.shape}")
    return values


def _first(points: np.ndarray, bad: np.ndarray) -> str:
    return ", ".join(f"{x:.4g}" for x in points[np.argmax(bad)])
