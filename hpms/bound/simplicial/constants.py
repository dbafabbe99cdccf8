"""Constants of inequalities on a mesh."""

import math
from itertools import permutations

import numpy as np
from jaxtyping import Float

from hpms.fem.mesh.simplices import Simplices

_CONVEX = {2: 3.8317, 3: math.pi}  # a diameter over the constant: see `poincare`


def poincare(mesh: Simplices) -> Float[np.ndarray, " t"]:
    """C_T with ‖ψ‖_T <= C_T ‖∇ψ‖_T for ψ without mean in T: the least of two.

    h_T/π with the diameter h_T on convex cells (Payne and Weinberger, 1960; Bebendorf, 2003), h_T/j with the first zero
    j of the Bessel function J_1 on triangles (Laugesen and Siudeja, 2010). And σ/π with the largest singular value σ of
    the matrix with the columns v_1 - v_0, ..., v_d - v_{d-1}, the corners in any order: it maps 1 >= x_1 >= ... >= x_d
    >= 0 to T, and there C = 1/π, as reflections make it a cube.
    """
    corners = mesh.nodes[mesh.cells]
    found = diameters(mesh) / _CONVEX[mesh.dim]
    for order in permutations(range(mesh.dim + 1)):
        if order[0] < order[-1]:
            steps = np.diff(corners[:, order], axis=1)
            found = np.minimum(found, np.sqrt(_largest(steps @ np.swapaxes(steps, 1, 2))) / math.pi)
    return found


def diameters(mesh: Simplices) -> Float[np.ndarray, " t"]:
    """The longest edges."""
    corners = mesh.nodes[mesh.cells]
    spans = corners[:, :, None] - corners[:, None]
    return np.sqrt((spans**2).sum(axis=-1).max(axis=(1, 2)))


def friedrichs(mesh: Simplices) -> float:
    """C with ‖φ‖ <= C ‖∇φ‖ for what vanishes on the boundary: that of the box around the mesh."""
    return float(((math.pi / mesh.sides) ** 2).sum()) ** -0.5


def _largest(matrix: Float[np.ndarray, "t d d"]) -> Float[np.ndarray, " t"]:
    """The largest eigenvalues of symmetric matrices, d = 2, 3, by Viète's formula."""
    dim = matrix.shape[1]
    mean = np.trace(matrix, axis1=1, axis2=2) / dim
    rest = matrix - mean[:, None, None] * np.eye(dim)
    square = (rest**2).sum(axis=(1, 2))
    if dim == 2:
        return mean + np.sqrt(square / 2)
    size = np.sqrt(square / 6)
    third = np.where(size > 0, np.linalg.det(rest) / np.where(size > 0, 2 * size**3, 1), 1)
    return mean + 2 * size * np.cos(np.arccos(np.clip(third, -1, 1)) / 3)
