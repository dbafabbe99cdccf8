"""Means of gradients, from which an upscaled tensor is determined or is not."""

from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float

_LEAST = 1e-3
T = TypeVar("T")


def condition(strains: Float[np.ndarray, "n d d"]) -> Float[np.ndarray, " n"]:
    """The condition numbers of the matrices ⟨∂_a w_i⟩ of cells; infinite where the w_i are dependent in the mean."""
    values = _singular(strains)
    return np.divide(values[:, 0], values[:, -1], out=np.full(len(values), np.inf), where=values[:, -1] > 0)


def determined(strains: Float[np.ndarray, "n d d"]) -> Bool[np.ndarray, " n"]:
    """Where ⟨flux_i⟩ = ⟨∇w_i⟩ K̃ determines K̃: the least singular value σ of ⟨∇w_i⟩ is above 1e-3 max(1, largest σ), as
    the w_i are made to grow with the gradient 1.
    """
    values = _singular(strains)
    return values[:, -1] > _LEAST * np.maximum(1, values[:, 0])


def symmetric(tensors: T) -> T:
    """(K̃ + K̃ᵀ)/2 of tensors (..., d, d), of NumPy or JAX."""
    return (tensors + tensors.swapaxes(-1, -2)) / 2  # type: ignore[attr-defined]


def _singular(strains: Float[np.ndarray, "n d d"]) -> Float[np.ndarray, "n d"]:
    return np.linalg.svd(np.nan_to_num(np.asarray(strains, np.float64)), compute_uv=False)
