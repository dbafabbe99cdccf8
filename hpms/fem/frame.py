"""The one rule of what belongs to Ω_δ, where whole balls fit into Ω, and what to the frame."""

import numpy as np
from jaxtyping import Bool, Float

_ROUNDING = 1e-12


def depth(points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
    """dist(x, ∂Ω) in Ω = (0,1)^d."""
    return np.minimum(points, 1 - points).min(axis=1)


def is_inner(points: Float[np.ndarray, "m d"], delta: float) -> Bool[np.ndarray, " m"]:
    """Whether dist(x, ∂Ω) > δ/2; the other points are the frame."""
    return depth(points) > delta / 2 + _ROUNDING
