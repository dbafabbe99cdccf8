"""Values of the coefficient and the source at quadrature points."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from hpms.errors import UserError
from hpms.fem.tensors import is_sound

Function = Callable[[np.ndarray], np.ndarray]  # points (M, d) -> values (M,), or tensors (M, d, d)


def sample_coefficient(coefficient: Function, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m *t"]:
    """K at the points; `UserError` that names the first where it is not positive (definite) and finite."""
    values = np.asarray(coefficient(points), dtype=np.float64)
    dim = points.shape[1]
    if values.shape not in ((len(points),), (len(points), dim, dim)):
        raise ValueError(f"values of shape {values.shape} for points of shape {points.shape}")
    check_coefficient(points, values)
    return values


def check_coefficient(points: Float[np.ndarray, "m d"], values: Float[np.ndarray, " m *t"]) -> None:
    """Raises `UserError` that names the first point where K is not symmetric, positive (definite) and finite."""
    bad = ~is_sound(values)
    if bad.any():
        where, value = _first(points, bad), values[np.argmax(bad)]
        if value.ndim == 0:
            raise UserError(f"the coefficient must be positive and finite, but K({where}) = {value:.4g}.")
        rows = ", ".join(f"[{', '.join(f'{entry:.4g}' for entry in row)}]" for row in value)
        raise UserError(f"the coefficient must be symmetric, positive definite and finite, but K({where}) = [{rows}].")


def sample_source(source: Function, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
    """q at the points; `UserError` that names the first where it is not finite."""
    values = np.asarray(source(points), dtype=np.float64)
    if values.shape != points.shape[:1]:
        raise ValueError(f"values of shape {values.shape} for points of shape {points.shape}")
    bad = ~np.isfinite(values)
    if bad.any():
        raise UserError(f"the source must be finite, but at ({_first(points, bad)}) it is not.")
    return values


def _first(points: np.ndarray, bad: np.ndarray) -> str:
    return ", ".join(f"{x:.4g}" for x in points[np.argmax(bad)])
