"""P1 and P2 elements on a simplicial mesh."""

from collections.abc import Iterator

import numpy as np
import skfem
from jaxtyping import Float, Int
from skfem.quadrature import get_quadrature

from hpms.fem import basis
from hpms.fem.mesh.affine import affine
from hpms.fem.mesh.simplices import Simplices, matched

_ELEMENTS = {1: skfem.ElementLineP1, 2: skfem.ElementTriP1, 3: skfem.ElementTetP1}


class MeshSpace:
    """P_r, r = 1, 2, on a mesh; its unknowns are the values at the nodes and (r = 2) at the middles of the edges.

    **Attributes:** the places of the unknowns, `nodes` (N, d), their number `size`, and `unknowns` (T, k), those of
    each cell in the order of `hpms.fem.basis`.
    """

    def __init__(self, mesh: Simplices, degree: int):
        if degree not in (1, 2):
            raise ValueError(f"degree = {degree} is neither 1 nor 2")
        self.mesh, self.degree, self.dim = mesh, degree, mesh.dim
        self.nodes, self.unknowns = mesh.nodes, mesh.cells
        if degree == 2:
            ends, sides = mesh.edges
            self.nodes = np.concatenate([mesh.nodes, mesh.nodes[ends].mean(axis=1)])
            self.unknowns = np.concatenate([mesh.cells, sides + len(mesh.nodes)], axis=1)
        self.size = len(self.nodes)

    def shape(self, barycentric: Float[np.ndarray, "m v"]) -> Float[np.ndarray, "m k"]:
        """The local basis functions, of a cell or of a facet."""
        return basis.shape(barycentric, self.degree)

    def changes(self, barycentric: Float[np.ndarray, "m v"]) -> Float[np.ndarray, "m k v"]:
        """Their derivatives by the barycentric coordinates."""
        return basis.changes(barycentric, self.degree)

    def geometry(
        self, cells: slice | Int[np.ndarray, " t"]
    ) -> tuple[Float[np.ndarray, "t v d"], Float[np.ndarray, " t"]]:
        """The gradients of the barycentric coordinates in these cells, and |T|."""
        return affine(self.mesh.nodes[self.mesh.cells[cells]])

    def blocks(self, size: int) -> Iterator[slice]:
        """All cells, at most `size` at a time."""
        return blocks(len(self.mesh.cells), size)

    def integrals(self) -> Float[np.ndarray, " n"]:
        """∫ φ_i over Ω."""
        barycentric, weights = rule(self.dim, self.degree)
        each = self.mesh.volumes[:, None] * (weights @ self.shape(barycentric))
        return np.bincount(self.unknowns.ravel(), weights=each.ravel(), minlength=self.size)

    def facet_unknowns(self, part: str) -> Int[np.ndarray, "f k"]:
        """The unknowns on each facet of a part of the boundary."""
        facets = self.mesh.facets[self.mesh.on(part)]
        if self.degree == 1 or self.dim == 1:
            return facets
        ends, _ = self.mesh.edges
        pairs = map(list, basis.edges(self.dim))
        middles = [matched(facets[:, pair], ends, len(self.mesh.nodes)) + len(self.mesh.nodes) for pair in pairs]
        return np.concatenate([facets, np.stack(middles, axis=1)], axis=1)

    def on(self, part: str) -> Int[np.ndarray, " m"]:
        """The unknowns on a part of the boundary."""
        return np.unique(self.facet_unknowns(part))


def rule(dim: int, order: int) -> tuple[Float[np.ndarray, "q v"], Float[np.ndarray, " q"]]:
    """Barycentric points and weights (of sum 1) on a simplex, exact for polynomials up to `order`."""
    if dim == 0:
        return np.ones((1, 1)), np.ones(1)
    points, weights = get_quadrature(_ELEMENTS[dim].refdom, order)
    return np.concatenate([1 - points.sum(axis=0, keepdims=True), points]).T, weights / weights.sum()


def cell_points(mesh: Simplices, order: int, most: float) -> tuple[Float[np.ndarray, "m d"], Float[np.ndarray, " m"]]:
    """Quadrature points and weights in all cells, or in random ones where these are more than `most` points."""
    barycentric, weights = rule(mesh.dim, order)
    count, kept = len(mesh.cells), max(1, int(most) // len(weights)) if most < np.inf else len(mesh.cells)
    cells = np.arange(count) if kept >= count else np.random.default_rng(0).choice(count, kept, replace=False)
    points = (barycentric @ mesh.nodes[mesh.cells[cells]]).reshape(-1, mesh.dim)
    return points, (mesh.volumes[cells][:, None] * weights).ravel() * (count / len(cells))


def blocks(count: int, size: int, start: int = 0) -> Iterator[slice]:
    """`start`, ..., count - 1 in runs of at most `size`."""
    for first in range(start, count, size):
        yield slice(first, min(first + size, count))
