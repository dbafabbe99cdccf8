"""A mesh of triangles or tetrahedra whose boundary falls into named parts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree

from hpms.fem import basis
from hpms.fem.mesh.affine import affine

_TRIES, _INSIDE = (8, 32, 128, 512), 1e-9
# Red refinement: the children's corners, 0..d those of the parent and then the middles of its edges, (0,1), (0,2), ...;
# of a tetrahedron as in Bey (1995), whose descendants fall into three congruence classes.
_CHILDREN = {
    1: [(0, 2), (2, 1)],
    2: [(0, 3, 4), (3, 1, 5), (4, 5, 2), (3, 4, 5)],
    3: [(0, 4, 5, 6), (4, 1, 7, 8), (5, 7, 2, 9), (6, 8, 9, 3), (4, 5, 6, 8), (4, 5, 7, 8), (5, 6, 8, 9), (5, 7, 8, 9)],
}


@dataclass(frozen=True, eq=False)
class Simplices:
    """T simplices with the corners `cells` (T, d+1) among the `nodes` (N, d); the boundary's `facets` (F, d), each with
    the number of its part, `labels` (F,), among the names `parts`.

    Two are equal where their arrays and names are. A refined mesh knows the `parent` whose simplices its own are parts
    of: T/2^d first ones, then T/2^d second ones, and so on.
    """

    nodes: Float[np.ndarray, "n d"]
    cells: Int[np.ndarray, "t d1"]
    facets: Int[np.ndarray, "f d"]
    labels: Int[np.ndarray, " f"]
    parts: tuple[str, ...]
    parent: "Simplices | None" = None

    @property
    def dim(self) -> int:
        """d."""
        return self.nodes.shape[1]

    @cached_property
    def low(self) -> Float[np.ndarray, " d"]:
        """The lowest coordinates."""
        return self.nodes.min(axis=0)

    @cached_property
    def sides(self) -> Float[np.ndarray, " d"]:
        """Those of the least box with the mesh in it."""
        return self.nodes.max(axis=0) - self.low

    @cached_property
    def h(self) -> float:
        """The longest edge."""
        pairs = [self.nodes[self.cells[:, i]] - self.nodes[self.cells[:, j]] for i, j in basis.edges(self.dim + 1)]
        return float(np.sqrt(max((each**2).sum(axis=1).max() for each in pairs)))

    @cached_property
    def volumes(self) -> Float[np.ndarray, " t"]:
        """|T|."""
        return affine(self.nodes[self.cells])[1]

    @property
    def volume(self) -> float:
        """|Ω|."""
        return float(self.volumes.sum())

    @cached_property
    def areas(self) -> Float[np.ndarray, " f"]:
        """The facets' lengths or areas."""
        return np.linalg.norm(self._across, axis=1)

    @property
    def surface(self) -> float:
        """|∂Ω|."""
        return float(self.areas.sum())

    @cached_property
    def normals(self) -> Float[np.ndarray, "f d"]:
        """The facets' outward unit normals."""
        opposite = self.nodes[self.cells[self.beside]].sum(axis=1) - self.nodes[self.facets].sum(axis=1)
        outward = np.einsum("fd,fd->f", self._across, self.nodes[self.facets[:, 0]] - opposite) > 0
        return np.where(outward[:, None], 1, -1) * self._across / self.areas[:, None]

    @cached_property
    def slopes(self) -> Float[np.ndarray, "t d1 d"]:
        """The gradients of the barycentric coordinates."""
        return affine(self.nodes[self.cells])[0]

    @cached_property
    def edges(self) -> tuple[Int[np.ndarray, "e 2"], Int[np.ndarray, "t k"]]:
        """The ends of the edges, and the numbers of those of each simplex in the order of `hpms.fem.basis`."""
        pairs = [np.sort(self.cells[:, pair], axis=1) for pair in map(list, basis.edges(self.dim + 1))]
        keys = np.stack([key(pair, len(self.nodes)) for pair in pairs], axis=1)
        found, number = np.unique(keys, return_inverse=True)
        return np.stack(np.divmod(found, len(self.nodes)), axis=1), number.reshape(keys.shape)

    @cached_property
    def digest(self) -> str:
        """What tells this mesh from others."""
        total = hashlib.sha256(repr(self.parts).encode())
        for array, kind in ((self.nodes, "<f8"), (self.cells, "<i8"), (self.facets, "<i8"), (self.labels, "<i8")):
            total.update(repr(array.shape).encode() + np.ascontiguousarray(array, kind).tobytes())
        return total.hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Simplices) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def on(self, part: str) -> Bool[np.ndarray, " f"]:
        """The facets of a part."""
        return self.labels == self.parts.index(part)

    def renamed(self, names: Sequence[str]) -> "Simplices":
        """With other names of its parts, in their order; those that are called the same become one."""
        parts = tuple(dict.fromkeys(names))
        labels = np.array([parts.index(name) for name in names])[self.labels]
        return Simplices(self.nodes, self.cells, self.facets, labels, parts)

    def refined(self, times: int = 1) -> "Simplices":
        """Each simplex in 2^d, by the middles of its edges; those in the simplex t of T have the numbers t + kT."""
        mesh = self
        for _ in range(times):
            mesh = mesh._halved()
        return mesh

    def refined_size(self, times: int) -> int:
        """How many nodes `refined(times)` has."""
        dim, cells, edges, nodes = self.dim, len(self.cells), len(self.edges[0]), len(self.nodes)
        sides = ((dim + 1) * cells + len(self.facets)) // 2
        for _ in range(times):
            nodes += edges
            edges = 2 * edges + {1: 0, 2: 3 * cells, 3: 3 * sides + cells}[dim]
            sides, cells = 4 * sides + 8 * cells, 2**dim * cells
        return nodes

    def places(self, barycentric: Float[np.ndarray, "q d1"]) -> Float[np.ndarray, "t q d"]:
        """The points with these barycentric coordinates in each simplex."""
        return np.einsum("qi,tid->tqd", barycentric, self.nodes[self.cells])

    def locate(self, points: Float[np.ndarray, "m d"]) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, "m d1"]]:
        """The simplex in which each point lies, -1 outside, and the barycentric coordinates there."""
        if self.parent is not None:
            return self._descend(*self.parent.locate(points))
        cell, inside = np.full(len(points), -1), np.zeros((len(points), self.dim + 1))
        left = np.arange(len(points))
        for tries in _TRIES:
            count = min(tries, len(self.cells))
            _, near = self._tree.query(points[left], k=count)
            near = near.reshape(len(left), count)
            found = np.empty((*near.shape, self.dim + 1))
            for k, each in enumerate(near.T):
                found[:, k] = self._barycentric(each, points[left])
            best = found.min(axis=2).argmax(axis=1)
            here = np.arange(len(left))
            hit = found[here, best].min(axis=1) >= -_INSIDE
            cell[left[hit]], inside[left[hit]] = near[here, best][hit], found[here, best][hit]
            left = left[~hit]
            if not left.size or count == len(self.cells):
                break
        return cell, inside

    @cached_property
    def _across(self) -> Float[np.ndarray, "f d"]:
        """Normals of the facets, as long as these are large."""
        corners = self.nodes[self.facets]
        if self.dim == 1:
            return np.ones((len(corners), 1))
        if self.dim == 2:
            span = corners[:, 1] - corners[:, 0]
            return np.stack([span[:, 1], -span[:, 0]], axis=1)
        return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2

    @cached_property
    def beside(self) -> Int[np.ndarray, " f"]:
        """The simplex beside each facet of the boundary."""
        sides = np.concatenate([np.delete(self.cells, i, axis=1) for i in range(self.dim + 1)])
        return matched(self.facets, sides, len(self.nodes)) % len(self.cells)

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.nodes[self.cells].mean(axis=1))

    def _barycentric(self, cells: Int[np.ndarray, " m"], points: Float[np.ndarray, "m d"]) -> np.ndarray:
        slopes, first = self.slopes[cells], self.nodes[self.cells[cells, 0]]
        found = np.einsum("mid,md->mi", slopes, points - first)
        found[:, 0] += 1
        return found

    def _descend(
        self, cells: Int[np.ndarray, " m"], barycentric: Float[np.ndarray, "m d1"]
    ) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, "m d1"]]:
        """The same points in the parts of the parent's simplices."""
        inside = np.linalg.inv(children(self.dim)).swapaxes(1, 2) @ barycentric.T
        best, here = inside.min(axis=1).argmax(axis=0), np.arange(len(cells))
        return np.where(cells < 0, -1, best * (len(self.cells) // 2**self.dim) + cells), inside[best, :, here]

    def _halved(self) -> "Simplices":
        dim, count = self.dim, len(self.nodes)
        edges, number = self.edges
        every = np.concatenate([self.cells, number + count], axis=1)
        cells = np.concatenate([every[:, child] for child in map(list, _CHILDREN[dim])])
        facets, labels = self.facets, self.labels
        if dim > 1:
            ends = [np.sort(facets[:, pair], axis=1) for pair in map(list, basis.edges(dim))]
            there = np.stack([matched(each, edges, count) + count for each in ends], axis=1)
            each = np.concatenate([facets, there], axis=1)
            facets = np.concatenate([each[:, child] for child in map(list, _CHILDREN[dim - 1])])
            labels = np.tile(labels, len(_CHILDREN[dim - 1]))
        nodes = np.concatenate([self.nodes, self.nodes[edges].mean(axis=1)])
        return Simplices(nodes, cells, facets, labels, self.parts, self)


def children(dim: int) -> Float[np.ndarray, "c d1 d1"]:
    """The corners of the parts of a refined simplex, in its barycentric coordinates."""
    return basis.places(dim + 1, 2)[_CHILDREN[dim]]


def matched(rows: Int[np.ndarray, "m k"], among: Int[np.ndarray, "n k"], count: int) -> Int[np.ndarray, " m"]:
    """Where each set of k node numbers, below `count`, stands `among` others; `ValueError` where one is missing."""
    keys, found = (key(np.sort(array, axis=1), count) for array in (among, rows))
    order = np.argsort(keys, kind="stable")
    place = np.searchsorted(keys, found, sorter=order)
    place = order[np.minimum(place, len(order) - 1)]
    if (keys[place] != found).any():
        raise ValueError("a facet is none of the mesh")
    return place


def outer_facets(cells: Int[np.ndarray, "t d1"]) -> Int[np.ndarray, "f d"]:
    """The facets of simplices that belong to one alone."""
    sides = np.concatenate([np.delete(cells, i, axis=1) for i in range(cells.shape[1])])
    _, first, times = np.unique(
        key(np.sort(sides, axis=1), int(cells.max()) + 1), return_index=True, return_counts=True
    )
    return sides[np.sort(first[times == 1])]


def key(rows: Int[np.ndarray, "m k"], count: int) -> Int[np.ndarray, " m"]:
    """One number for each row of numbers below `count`."""
    found = np.zeros(len(rows), np.int64)
    for column in rows.T:
        found = found * count + column
    return found
