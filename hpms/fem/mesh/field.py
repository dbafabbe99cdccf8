"""Finite element functions on a simplicial mesh."""

from math import inf

import numpy as np
from jaxtyping import Float, Int

from hpms.fem import basis
from hpms.fem.field import AbstractField
from hpms.fem.mesh.simplices import children
from hpms.fem.mesh.space import MeshSpace, blocks, rule

_CHUNK = 50_000


class MeshField(AbstractField):
    """Σ_i c_i φ_i, with the basis of a `MeshSpace` and c = `data` (N,).

    Where elements meet, the gradient is that of one of them.
    """

    most_points = inf

    def __init__(self, space: MeshSpace, data: Float[np.ndarray, " n"]):
        if data.shape != (space.size,):
            raise ValueError(f"{data.shape[0]} coefficients for a space of {space.size}")
        self.dim, self.space, self.data = space.dim, space, data

    def values(self, points: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        value = np.empty(len(points))
        for part in blocks(len(points), _CHUNK):
            cells, barycentric = self._locate(points[part])
            value[part] = (self.data[self.space.unknowns[cells]] * self.space.shape(barycentric)).sum(axis=1)
        return value

    def evaluate(self, points: Float[np.ndarray, "m d"]) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m d"]]:
        value, gradient = np.empty(len(points)), np.empty((len(points), self.dim))
        for part in blocks(len(points), _CHUNK):
            cells, barycentric = self._locate(points[part])
            local = self.data[self.space.unknowns[cells]]
            value[part] = (local * self.space.shape(barycentric)).sum(axis=1)
            slopes, _ = self.space.geometry(cells)
            along = local[:, None] @ self.space.changes(barycentric)
            gradient[part] = (along @ slopes)[:, 0]
        return value, gradient

    def norms(self) -> tuple[float, float]:
        space, mass, energy = self.space, 0.0, 0.0
        barycentric, weights = rule(space.dim, 2 * space.degree)
        shape, changes = space.shape(barycentric), space.changes(barycentric)
        for part in space.blocks(_CHUNK):
            local, (slopes, volumes) = self.data[space.unknowns[part]], space.geometry(part)
            mass += float(volumes @ ((local @ shape.T) ** 2 @ weights))
            gradients = np.tensordot(local, changes, ([1], [1])) @ slopes
            energy += float(volumes @ ((gradients**2).sum(axis=2) @ weights))
        return mass**0.5, energy**0.5

    def refined(self, space: MeshSpace) -> Float[np.ndarray, " n"]:
        """The coefficients of the same function in the space of that degree on the mesh refined once."""
        places, data = basis.places(self.dim + 1, space.degree), np.empty(space.size)
        local = self.data[self.space.unknowns]
        for child, unknowns in zip(children(self.dim), np.split(space.unknowns, 2**self.dim), strict=True):
            data[unknowns] = local @ self.space.shape(places @ child).T
        return data

    def _locate(self, points: Float[np.ndarray, "m d"]) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, "m v"]]:
        cells, barycentric = self.space.mesh.locate(points)
        if (cells < 0).any():
            where = ", ".join(f"{x:.4g}" for x in points[np.argmax(cells < 0)])
            raise ValueError(f"the point ({where}) lies outside the mesh")
        return cells, barycentric
