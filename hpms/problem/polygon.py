"""Polygons with holes: the domain, functions that vanish on some of its edges, and extensions of given values."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import equinox as eqx
from jaxtyping import Array, Float

from hpms.fem.mesh.polygon import Polygon, triangulated
from hpms.fem.mesh.simplices import Simplices
from hpms.jet import Forms, Jet, activate, columns, multiply, one
from hpms.problem.distance import PolygonDistance, vanishing
from hpms.problem.lift import AbstractTransfiniteLift
from hpms.problem.meshed import AbstractMeshed
from hpms.problem.saturation import decay, saturated
from hpms.problem.source.base import AbstractSource
from hpms.problem.walls import AbstractEdges, AbstractWalls

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
        low, high = self.polygon.segments.min(axis=(0, 1)), self.polygon.segments.max(axis=(0, 1))
        return self.meshed(float((high - low).max()) / _WIDEST)

    def meshed(self, h: float) -> Simplices:
        return _meshed(self.polygon, self.names, h)


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
    return triangulated(polygon, h).renamed(names)
