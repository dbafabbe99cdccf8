"""The facets of all simplices of a mesh, each of them once."""

from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from hpms.fem.mesh.simplices import Simplices, key, matched


class Facets:
    """With normals that point out of the first simplex that has them."""

    def __init__(self, mesh: Simplices):
        self._mesh = mesh
        sides = np.stack([np.delete(mesh.cells, i, axis=1) for i in range(mesh.dim + 1)], axis=1)
        every = sides.reshape(-1, mesh.dim)
        _, first, number = np.unique(
            key(np.sort(every, axis=1), len(mesh.nodes)), return_index=True, return_inverse=True
        )
        self.nodes: Int[np.ndarray, "f d"] = every[first]
        self.of: Int[np.ndarray, "t d1"] = number.reshape(sides.shape[:2])  # that opposite to each corner
        self.sign: Int[np.ndarray, "t d1"] = np.where(
            first[self.of] == np.arange(len(every)).reshape(self.of.shape), 1, -1
        )
        outward = -mesh.dim * mesh.volumes[:, None, None] * mesh.slopes
        across = outward.reshape(-1, mesh.dim)[first]
        self.areas: Float[np.ndarray, " f"] = np.linalg.norm(across, axis=1)
        self.normals: Float[np.ndarray, "f d"] = across / self.areas[:, None]
        self.beside: Int[np.ndarray, " f"] = first // (mesh.dim + 1)  # the first simplex

    @property
    def count(self) -> int:
        return len(self.nodes)

    @cached_property
    def outer(self) -> Int[np.ndarray, " b"]:
        """The numbers of the facets of the boundary, in the mesh's order."""
        return matched(self._mesh.facets, self.nodes, len(self._mesh.nodes))

    @cached_property
    def reach(self) -> Float[np.ndarray, " f"]:
        """The largest distance of the corner opposite to a facet, in the first simplex, from its points."""
        opposite = self._mesh.nodes[self._mesh.cells[self.beside]].sum(axis=1) - self.corners.sum(axis=1)
        return np.linalg.norm(self.corners - opposite[:, None], axis=2).max(axis=1)

    @property
    def corners(self) -> Float[np.ndarray, "f d d"]:
        return self._mesh.nodes[self.nodes]

    def of_parts(self, names: tuple[str, ...]) -> Bool[np.ndarray, " b"]:
        """Which facets of the boundary belong to the parts with these names."""
        return np.isin(self._mesh.labels, [self._mesh.parts.index(name) for name in names])
