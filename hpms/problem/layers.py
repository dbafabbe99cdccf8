"""Whether a problem depends on x₁ alone, as the reference of layered media needs."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from hpms.errors import ConfigError
from hpms.problem.lifted import LiftedProblem

_SAME = 1e-9


def check_layers(problem: LiftedProblem, points: Float[np.ndarray, "m d"]) -> None:
    """Raises `ConfigError` where, at the points (M, d), K varies along x₂, ..., x_d, or q at all."""
    needs = "reference.method", "layered"
    if problem.law.forms is not None:
        raise ConfigError(*needs, "it is for a coefficient that is a number; choose p2")
    for axis in range(1, points.shape[1]):
        moved = points.copy()
        moved[:, axis] = points[::-1, axis]
        if _differ(problem.coefficient_at(), points, moved):
            raise ConfigError(*needs, f"the coefficient varies along x{axis + 1}; choose p2, or one that depends on x1")
    if _differ(problem.source_at(), points, points[::-1]):
        raise ConfigError(*needs, "the source is not constant; choose p2, or source=constant")


def _differ(function: Callable[[np.ndarray], np.ndarray], points: np.ndarray, others: np.ndarray) -> bool:
    here, there = function(points), function(others)
    return bool(np.abs(here - there).max() > _SAME * np.abs(here).max())
