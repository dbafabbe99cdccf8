"""Coefficients at points that are numbers (M,) or symmetric tensors (M, d, d)."""

import numpy as np
from jaxtyping import Bool, Float


def applied(k: Float[np.ndarray, " m *t"], vectors: Float[np.ndarray, " m *l d"]) -> Float[np.ndarray, " m *l d"]:
    """K v at each point."""
    if k.ndim == 1:
        return k.reshape(-1, *[1] * (vectors.ndim - 1)) * vectors
    return np.einsum("mab,m...b->m...a", k, vectors)


def eigenvalues(k: Float[np.ndarray, " m *t"]) -> Float[np.ndarray, "m e"]:
    """In ascending order; of a number that number."""
    return k[:, None] if k.ndim == 1 else np.linalg.eigvalsh(k)


def is_sound(k: Float[np.ndarray, " m *t"]) -> Bool[np.ndarray, " m"]:
    """Where K is finite, symmetric and positive definite."""
    finite = np.asarray(np.isfinite(k)).all(axis=tuple(range(1, k.ndim)))
    if k.ndim == 1:
        return finite & (k > 0)
    regular = np.where(finite.reshape(-1, 1, 1), k, np.eye(k.shape[1]))
    size = np.abs(regular).max(axis=(1, 2))
    mirrored = np.abs(regular - regular.swapaxes(1, 2)).max(axis=(1, 2)) <= 1e-6 * size
    return finite & mirrored & (np.linalg.eigvalsh(regular)[:, 0] > 0)


def harmonic_mean(k: Float[np.ndarray, " m *t"]) -> Float[np.ndarray, "*t"]:
    """⟨K⁻¹⟩⁻¹."""
    return np.asarray(1 / np.mean(1 / k) if k.ndim == 1 else np.linalg.inv(np.linalg.inv(k).mean(axis=0)))
