"""Plane parts of ∂Ω with all of Ω on one side: there, distances are linear."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from hpms.fem.mesh.simplices import Simplices
from hpms.jet import Forms, Jet, activate, affine, columns, multiply, one
from hpms.problem.lift import AbstractTransfiniteLift, product
from hpms.problem.saturation import decay, saturated
from hpms.problem.source.base import AbstractSource
from hpms.problem.walls import AbstractEdges, AbstractWalls

_SAME, _ROUNDED = 1e-9, 1e-7


@dataclass(frozen=True)
class Planes(AbstractEdges, AbstractWalls):
    """φ_k = `offsets`_k - n_k·x with the outward `normals` n_k, 0 on a plane and positive in Ω; those that are `held`
    are where a network is to vanish, and `length` is that from which on this is not felt.
    """

    normals: tuple[tuple[float, ...], ...]
    offsets: tuple[float, ...]
    held: tuple[int, ...]
    length: float

    @property
    def is_empty(self) -> bool:
        return not self.held

    @property
    def count(self) -> int:
        return len(self.offsets)

    def distances(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        """The jet of all φ_k, (M, k)."""
        weight = -jnp.asarray(np.array(self.normals).T, x.dtype)
        return affine(x, weight, jnp.asarray(self.offsets, x.dtype), forms)

    def vanishing(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        return self._product(x, self.length, forms)

    def saturation(self, x: Float[Array, "m d"], lengths: tuple[float, ...], forms: Forms | None = None) -> Jet:
        return self._product(x, max(lengths), forms)

    def layers(self, x: Float[Array, "m d"], length: float, forms: Forms | None = None) -> Jet:
        return activate(self.distances(x, forms), lambda phi: decay(phi, length))

    def _product(self, x: Float[Array, "m d"], length: float, forms: Forms | None) -> Jet:
        every = activate(self.distances(x, forms), lambda phi: saturated(phi, length))
        return reduce(multiply, [columns(every, k, k + 1) for k in self.held], one(x, forms))


class PlaneLift(AbstractTransfiniteLift):
    """φ_i is the product of the distances to the planes on which w = g_i, in each of the `groups`."""

    data: tuple[AbstractSource, ...]
    groups: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    planes: Planes | None = eqx.field(static=True)

    @property
    def meets(self) -> bool:
        return len(self.data) > 1

    def distances(self, x: Float[Array, " d"]) -> Sequence[Float[Array, ""]]:
        assert self.planes is not None
        phi = self.planes.distances(x[None]).value[0]
        return [product([phi[k] for k in group]) for group in self.groups]


def supporting_planes(mesh: Simplices, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normals (k, d) and offsets (k,) of the planes in which a `share` of ∂Ω or more lies and beyond which Ω does not
    reach, and the number of each facet's plane, -1 where it lies in none.
    """
    size = float(mesh.sides.max())
    offsets = np.einsum("fd,fd->f", mesh.normals, mesh.nodes[mesh.facets[:, 0]])
    scaled = np.column_stack([mesh.normals, (offsets - mesh.normals @ mesh.low) / size])
    rows = np.round(scaled / _ROUNDED).astype(np.int64)
    _, first, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    number = number.ravel()
    large = np.bincount(number, mesh.areas) >= share * mesh.surface
    outer = [
        ok and (mesh.nodes @ mesh.normals[k] <= offsets[k] + _SAME * size).all()
        for k, ok in zip(first, large, strict=True)
    ]
    inside = np.array(outer)
    place = np.where(inside, np.cumsum(inside) - 1, -1)
    kept = first[inside]
    return mesh.normals[kept], offsets[kept], place[number]
