"""Polygons with holes: the domain, functions that vanish on some of its edges, and extensions of given values.

Holes that stand for circles are polygons for elements and for points inside; points of ∂Ω lie on the circles.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from hpms.fem.faces import Face
from hpms.fem.mesh.polygon import Polygon, triangulated
from hpms.fem.mesh.simplices import Simplices
from hpms.jet import Forms, Jet, activate, columns, multiply, one
from hpms.problem.distance import PolygonDistance, vanishing
from hpms.problem.lift import AbstractTransfiniteLift
from hpms.problem.meshed import NEAR, AbstractMeshed, Facets, random_points
from hpms.problem.saturation import decay, saturated
from hpms.problem.source.base import AbstractSource
from hpms.problem.walls import AbstractEdges, AbstractWalls

_STRAIGHT = (0.0, 0.0, -1.0)
_WIDEST = 8  # elements along the longer side of the box around a polygon


@dataclass(frozen=True)
class PolygonDomain(AbstractMeshed):
    """The polygon, whose edges and holes belong to parts with the `names`, in the order of `polygon.parts`."""

    polygon: Polygon
    names: tuple[str, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr((self.polygon, self.names)).encode()).hexdigest()[:16]

    @property
    def mesh(self) -> Simplices:
        return self.meshed(self._widest)

    @property
    def places(self) -> Facets:
        return RoundFacets(self.mesh, self._circles) if self.polygon.rounds else super().places

    def meshed(self, h: float) -> Simplices:
        return _meshed(self.polygon, self.names, h)

    def sample_boundary(self, key: PRNGKeyArray, count: int) -> Float[Array, "m d"]:
        points, chosen = random_points(key, self.mesh.nodes[self.mesh.facets], self.mesh.areas, count)
        circles = jnp.asarray(self._circles)[chosen]
        middles, radii = circles[:, :2], circles[:, 2:]
        away = points - middles
        rounded = middles + radii * away / jnp.linalg.norm(away, axis=1, keepdims=True)
        return jnp.where(radii > 0, rounded, points)

    @property
    def _widest(self) -> float:
        low, high = self.polygon.segments.min(axis=(0, 1)), self.polygon.segments.max(axis=(0, 1))
        return float((high - low).max()) / _WIDEST

    @property
    def _circles(self) -> Float[np.ndarray, "f 3"]:
        """Of each facet of `mesh` the middle and the radius of its circle, (0, 0, -1) where it has none."""
        count, rounds = len(self.polygon.outer), self.polygon.rounds or (None,) * len(self.polygon.holes)
        each = np.array([_STRAIGHT if found is None else found for found in (*[None] * count, *rounds)])
        return each[_triangulated(self.polygon, self._widest).labels]


class RoundFacets(Facets):
    """Those of a polygon's mesh and `circles` (f, 3), the middle and the radius of each facet's or (0, 0, -1): a
    point on a circle has the circle's normal.
    """

    circles: Float[Array, "f 3"]

    def __init__(self, mesh: Simplices, circles: Float[np.ndarray, "f 3"]):
        super().__init__(mesh)
        self.circles = jnp.asarray(circles)

    def on(self, points: Float[Array, "m d"], face: Face | str) -> Bool[Array, " m"]:
        assert isinstance(face, str)
        here = self.labels[self._nearest(points)[0]] == self.parts.index(face)
        return super().on(points, face) | (here & self._on_circle(points)[1])

    def normal(self, points: Float[Array, "m d"], face: Face | str) -> Float[Array, "*m d"]:
        inward, is_round = self._on_circle(points)
        return jnp.where(is_round[:, None], inward.astype(points.dtype), super().normal(points, face))

    def _on_circle(self, points: Float[Array, "m d"]) -> tuple[Float[Array, "m d"], Bool[Array, " m"]]:
        """The direction to the middle of the nearest facet's circle, and whether the point is on it."""
        circles = self.circles[self._nearest(points)[0]]
        away = circles[:, :2] - points
        distance = jnp.linalg.norm(away, axis=1)
        return away / distance[:, None], jnp.abs(distance - circles[:, 2]) < NEAR * self.size


@dataclass(frozen=True)
class Edges(AbstractEdges, AbstractWalls):
    """Groups of edges and holes of a polygon, by the names of its parts, and the smooth distances φ_g to them.

    Those that are `held` are where a network is to vanish.
    """

    polygon: Polygon
    groups: tuple[tuple[str, ...], ...]
    held: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing on which to vanish."""
        return not self.held

    @property
    def count(self) -> int:
        """Of the groups."""
        return len(self.groups)

    def vanishing(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        """The jet of l, 0 on those that are held and of the order 1 inside, (M, 1)."""
        return vanishing(self._distance, x, self.held, forms=forms)

    def layers(self, x: Float[Array, "m d"], length: float, forms: Forms | None = None) -> Jet:
        """The jet of exp(-φ_g/ℓ), (M, g)."""
        return activate(self._distance.jet(x, tuple(range(self.count)), forms), lambda phi: decay(phi, length))

    def saturation(self, x: Float[Array, "m d"], lengths: tuple[float, ...], forms: Forms | None = None) -> Jet:
        """The jet of Π_g (1 - exp(-φ_g/ℓ)) over those that are held, with ℓ the longest of the lengths, (M, 1)."""
        product, length = one(x, forms), max(lengths)
        if self.held:
            each = activate(self._distance.jet(x, self.held, forms), lambda phi: saturated(phi, length))
            for k in range(len(self.held)):
                product = multiply(product, columns(each, k, k + 1))
        return product

    @property
    def _distance(self) -> PolygonDistance:
        return PolygonDistance(self.polygon, self.groups)


class PolygonLift(AbstractTransfiniteLift):
    """φ_i is the smooth distance to the edges on which w = g_i, the `groups` i of the polygon's parts."""

    data: tuple[AbstractSource, ...]
    polygon: Polygon = eqx.field(static=True)
    groups: tuple[tuple[str, ...], ...] = eqx.field(static=True)

    @property
    def meets(self) -> bool:
        count, edges = len(self.polygon.outer), self.polygon.parts[: len(self.polygon.outer)]
        where = {part: i for i, group in enumerate(self.groups) for part in group}
        pairs = ((where.get(edges[k]), where.get(edges[(k + 1) % count])) for k in range(count))
        return any(None not in pair and pair[0] != pair[1] for pair in pairs)

    def distances(self, x: Float[Array, " d"]) -> Sequence[Float[Array, ""]]:
        return tuple(PolygonDistance(self.polygon, self.groups)(x))


@lru_cache(maxsize=8)
def _meshed(polygon: Polygon, names: tuple[str, ...], h: float) -> Simplices:
    return _triangulated(polygon, h).renamed(names)


@lru_cache(maxsize=8)
def _triangulated(polygon: Polygon, h: float) -> Simplices:
    return triangulated(polygon, h)
