"""The local basis of P1 and P2 elements: a simplex's d+1 vertices, then (P2) the middles of its edges."""

from itertools import combinations

import numpy as np
from jaxtyping import Float


def edges(vertices: int) -> list[tuple[int, ...]]:
    """The pairs of so many vertices."""
    return list(combinations(range(vertices), 2))


def places(vertices: int, degree: int) -> Float[np.ndarray, "k v"]:
    """The barycentric coordinates of the local unknowns."""
    corners = np.eye(vertices)
    middles = [(corners[i] + corners[j]) / 2 for i, j in edges(vertices)]
    return corners if degree == 1 else np.stack([*corners, *middles])


def shape(barycentric: Float[np.ndarray, "m v"], degree: int) -> Float[np.ndarray, "m k"]:
    """λ_i, or λ_i(2λ_i - 1) and 4λ_iλ_j."""
    if degree == 1:
        return barycentric
    middles = [4 * barycentric[:, i] * barycentric[:, j] for i, j in edges(barycentric.shape[1])]
    return np.concatenate([barycentric * (2 * barycentric - 1), *[middle[:, None] for middle in middles]], axis=1)


def changes(barycentric: Float[np.ndarray, "m v"], degree: int) -> Float[np.ndarray, "m k v"]:
    """The derivatives of `shape` by each λ_i."""
    count, vertices = barycentric.shape
    pairs = edges(vertices) if degree == 2 else []
    change = np.zeros((count, vertices + len(pairs), vertices))
    diagonal = np.arange(vertices)
    change[:, diagonal, diagonal] = 1 if degree == 1 else 4 * barycentric - 1
    for k, (i, j) in enumerate(pairs, start=vertices):
        change[:, k, i], change[:, k, j] = 4 * barycentric[:, j], 4 * barycentric[:, i]
    return change
