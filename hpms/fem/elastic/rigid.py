"""The motions of a body that no elastic energy sees."""

import numpy as np
from jaxtyping import Float


def rigid(points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "m d r"]:
    """The translations and rotations, r = d(d+1)/2, side by side."""
    dim = points.shape[1]
    modes = [np.broadcast_to(axis, points.shape) for axis in np.eye(dim)]
    for i in range(dim):
        for j in range(i):
            turn = np.zeros_like(points)
            turn[:, i], turn[:, j] = points[:, j], -points[:, i]
            modes.append(turn)
    return np.stack(modes, axis=2)
