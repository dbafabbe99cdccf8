"""The affine geometry of simplices."""

from math import factorial

import numpy as np
from jaxtyping import Float


def affine(corners: Float[np.ndarray, "t d1 d"]) -> tuple[Float[np.ndarray, "t d1 d"], Float[np.ndarray, " t"]]:
    """The gradients of the barycentric coordinates of simplices with those corners, and |T|."""
    spans = corners[:, 1:] - corners[:, :1]
    dim = spans.shape[1]
    cofactors = np.empty_like(spans)
    if dim == 1:
        cofactors[:] = 1
    elif dim == 2:
        cofactors[:, 0, 0], cofactors[:, 0, 1] = spans[:, 1, 1], -spans[:, 1, 0]
        cofactors[:, 1, 0], cofactors[:, 1, 1] = -spans[:, 0, 1], spans[:, 0, 0]
    else:
        for i in range(3):
            cofactors[:, i] = np.cross(spans[:, i - 2], spans[:, i - 1])
    determinant = np.einsum("td,td->t", spans[:, 0], cofactors[:, 0])
    inner = cofactors / determinant[:, None, None]
    slopes = np.concatenate([-inner.sum(axis=1, keepdims=True), inner], axis=1)
    return slopes, np.abs(determinant) / factorial(dim)
