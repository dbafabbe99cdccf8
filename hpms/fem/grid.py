"""Uniform simplicial grids of (0,1)^d: n cubes per axis, each cut into d! Kuhn simplices."""

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
import skfem
from jaxtyping import Float, Int
from scipy import sparse

_MESHES = {1: skfem.MeshLine, 2: skfem.MeshTri, 3: skfem.MeshTet}
_OUTSIDE = 1e-9


@cache
def axis_orders(dim: int) -> Int[np.ndarray, "s d"]:
    """The d! orders of the axes: simplex π walks from a cube's lowest corner along e_π(1), then e_π(2), ..."""
    return np.array(list(permutations(range(dim))))


@cache
def corners(dim: int) -> Int[np.ndarray, "s v d"]:
    """The vertices of the d! simplices of the unit cube, in the order of the walk."""
    steps = np.eye(dim, dtype=int)[axis_orders(dim)]
    return np.concatenate([np.zeros_like(steps[:, :1]), np.cumsum(steps, axis=1)], axis=1)


def lattice(dim: int, n: int) -> Float[np.ndarray, "m d"]:
    """The (n+1)^d points i/n, last axis fastest."""
    axis = np.arange(n + 1) / n
    return np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)


def strides(dim: int, n: int) -> Int[np.ndarray, " d"]:
    """What a step along each axis adds to an index into `lattice(dim, n)`."""
    return (n + 1) ** np.arange(dim - 1, -1, -1)


def cubes(dim: int, n: int) -> Int[np.ndarray, "m d"]:
    """The lowest corners, in steps of 1/n, of the n^d cubes, last axis fastest."""
    return np.stack(np.unravel_index(np.arange(n**dim), (n,) * dim), axis=-1)


def unit_mesh(dim: int, n: int) -> skfem.Mesh:
    """The scikit-fem mesh with nodes `lattice(dim, n)`; in 2-D it has the triangles of `MeshTri.init_tensor`.

    Element s n^d + c is simplex s of cube c. Raises `ValueError` unless d is 1, 2 or 3 and n >= 1.
    """
    check_grid(dim, n)
    step = strides(dim, n)
    vertices = (cubes(dim, n) @ step)[None, :, None] + (corners(dim) @ step)[:, None, :]
    return _MESHES[dim](lattice(dim, n).T.copy(), vertices.reshape(-1, dim + 1).T.copy())


def check_grid(dim: int, n: int) -> None:
    """Raises `ValueError` unless d is 1, 2 or 3 and n >= 1."""
    if dim not in _MESHES or n < 1:
        raise ValueError(f"a grid needs dim = 1, 2 or 3 and n >= 1, not dim = {dim}, n = {n}")


@dataclass(frozen=True)
class Location:
    """Where M points lie: the `cube` (M, d), the `simplex` (M,) in it, `barycentric` coordinates (M, d+1) in it.

    `order` (M, d) are the axes of that simplex: ∂λ_k/∂x_order(k) = n = -∂λ_(k-1)/∂x_order(k), k = 1..d.
    """

    cube: Int[np.ndarray, "m d"]
    simplex: Int[np.ndarray, " m"]
    order: Int[np.ndarray, "m d"]
    barycentric: Float[np.ndarray, "m v"]

    def element(self, n: int) -> Int[np.ndarray, " m"]:
        """The indices of the elements of `unit_mesh(d, n)`."""
        dim = self.cube.shape[1]
        return self.simplex * n**dim + self.cube @ (n ** np.arange(dim - 1, -1, -1))


def locate(points: Float[np.ndarray, "m d"], n: int) -> Location:
    """The simplex of each point by arithmetic: its local coordinates in the cube, sorted, name the simplex.

    Raises `ValueError` for points outside [0,1]^d, NaN included.
    """
    check_grid(points.shape[1], n)
    if not ((points >= -_OUTSIDE) & (points <= 1 + _OUTSIDE)).all():
        raise ValueError("a point lies outside [0,1]^d")
    dim = points.shape[1]
    scaled = np.clip(points, 0, 1) * n
    cube = np.minimum(scaled.astype(np.int64), n - 1)
    local = scaled - cube
    order = np.argsort(-local, axis=1, kind="stable")
    ranked = np.take_along_axis(local, order, axis=1)
    walls = np.concatenate([np.ones((len(points), 1)), ranked, np.zeros((len(points), 1))], axis=1)
    place = dim ** np.arange(dim)
    names = np.zeros(dim**dim, dtype=np.int64)
    names[axis_orders(dim) @ place] = np.arange(len(axis_orders(dim)))
    return Location(cube, names[order @ place], order, walls[:, :-1] - walls[:, 1:])


def interpolation(points: Float[np.ndarray, "m d"], n: int) -> sparse.csr_matrix:
    """The matrix (M, (n+1)^d) from values at `lattice(d, n)` to values of the P1 function at the points."""
    dim = points.shape[1]
    found = locate(points, n)
    step = strides(dim, n)
    columns = (found.cube @ step)[:, None] + (corners(dim) @ step)[found.simplex]
    rows = np.arange(0, columns.size + 1, dim + 1)
    shape = (len(points), (n + 1) ** dim)
    return sparse.csr_matrix((found.barycentric.ravel(), columns.ravel(), rows), shape=shape)
