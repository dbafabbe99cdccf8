"""A polygon with holes, and its triangulation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import cos, hypot, pi, sin
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from hpms.errors import UserError
from hpms.fem.mesh.delaunay import Refinement
from hpms.fem.mesh.simplices import Simplices, matched, outer_facets
from hpms.fem.mesh.size_field import Outline

Ring = tuple[tuple[float, float], ...]
Round = tuple[float, float, float]
_AREA, _STRAIGHT = 1e-12, 1e-9
_TRIES = (25.0, 20.0, 15.0, 0.0)  # degrees


@dataclass(frozen=True)
class Polygon:
    """The points within the ring `outer` and without the rings `holes`, each the vertices in either orientation.

    `rounds` are the middles and radii of the circles that holes stand for, None for the others; none are none.

    The boundary falls into `edge1`, `edge2`, ... (from vertex k of `outer` to the next one), `hole1`, `hole2`, ...
    """

    outer: Ring
    holes: tuple[Ring, ...] = ()
    rounds: tuple[Round | None, ...] = ()

    @property
    def rings(self) -> tuple[Ring, ...]:
        """The outer ring and the holes."""
        return (self.outer, *self.holes)

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the boundary's parts."""
        edges = (f"edge{k + 1}" for k in range(len(self.outer)))
        return (*edges, *(f"hole{k + 1}" for k in range(len(self.holes))))

    @property
    def labels(self) -> Int[np.ndarray, " n"]:
        """The number of the part of each edge, ring by ring."""
        count = len(self.outer)
        rings = [np.full(len(ring), count + k) for k, ring in enumerate(self.holes)]
        return np.concatenate([np.arange(count), *rings])

    @cached_property
    def segments(self) -> Float[np.ndarray, "n 2 2"]:
        """The ends of each edge, ring by ring."""
        rings = [np.asarray(ring, float) for ring in self.rings]
        return np.concatenate([np.stack([ring, np.roll(ring, -1, axis=0)], axis=1) for ring in rings])

    def straight(self, part: str) -> int:
        """How many edges a part has, none where it stands for a circle."""
        number = self.parts.index(part) - len(self.outer)
        if number < 0:
            return 1
        return 0 if self.rounds and self.rounds[number] else len(self.holes[number])

    @property
    def area(self) -> float:
        """|Ω|."""
        outer, *holes = (abs(_signed(ring)) for ring in self.rings)
        return outer - sum(holes)

    @property
    def reentrant(self) -> tuple[int, ...]:
        """The numbers of those vertices of `outer` at which the angle inside is π or greater."""
        ring = np.asarray(self.outer, float)
        behind, ahead = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
        turns = _cross(behind, ahead) * np.sign(_signed(self.outer))
        size = np.linalg.norm(behind, axis=1) * np.linalg.norm(ahead, axis=1)
        return tuple(np.flatnonzero(turns <= _STRAIGHT * size).tolist())

    @property
    def turned(self) -> Ring:
        """`outer`, counterclockwise."""
        return self.outer if _signed(self.outer) > 0 else self.outer[::-1]

    @property
    def turned_parts(self) -> tuple[str, ...]:
        """The edge from each vertex of `turned` to the next one."""
        names, count = self.parts, len(self.outer)
        return names[:count] if _signed(self.outer) > 0 else (*reversed(names[: count - 1]), names[count - 1])

    def room(self, point: tuple[float, float]) -> float:
        """The distance from a vertex to the nearest other vertex or edge that does not end there."""
        place, best = np.array(point), np.inf
        for start, end in self.segments:
            if (start == place).all() or (end == place).all():
                best = min(best, float(np.linalg.norm(end - start)))
                continue
            along = np.clip((place - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
            best = min(best, float(np.linalg.norm(start + along * (end - start) - place)))
        return best

    def check(self) -> None:
        """Raises `UserError` unless each ring is simple and the holes lie apart, strictly within the outer one."""
        from shapely import Polygon as Filled
        from shapely import STRtree

        for name, ring in zip(self._names(), self.rings, strict=True):
            _check_ring(name, ring)
        outer, *holes = (Filled(ring) for ring in self.rings)
        for name, hole in zip(list(self._names())[1:], holes, strict=True):
            if not outer.contains_properly(hole):
                how = "crosses or touches" if outer.boundary.intersects(hole.boundary) else "lies outside"
                raise UserError(f"{name} {how} the outer polygon: a hole lies strictly within it.")
        pairs = STRtree(holes).query(holes, predicate="intersects").T.tolist() if holes else []
        for first, second in sorted((one, other) for one, other in pairs if one < other):
            apart = not holes[first].boundary.intersects(holes[second].boundary)
            how = "lie in each other" if apart else "touch or cross"
            raise UserError(f"hole{first + 1} and hole{second + 1} {how}: holes have to lie apart.")
        self._check_rounds(outer.boundary, [hole.boundary for hole in holes])

    def _check_rounds(self, outer: Any, holes: Sequence[Any]) -> None:
        """The same of the circles, which reach further than their polygons' edges."""
        from shapely import Point

        known = {k: each for k, each in enumerate(self.rounds) if each is not None}
        if not known:
            return
        lines = {"the outer polygon": outer, **{f"hole{k + 1}": hole for k, hole in enumerate(holes) if k not in known}}
        numbers, circles = list(known), np.array(list(known.values()))
        for (k, (x1, x2, radius)), row in zip(known.items(), circles, strict=True):
            gaps = np.hypot(*(circles - row)[:, :2].T) - circles[:, 2]
            meets = [name for name, line in lines.items() if Point(x1, x2).distance(line) <= radius]
            meets += [f"hole{j + 1}" for j, gap in zip(numbers, gaps, strict=True) if j != k and gap <= radius]
            if meets:
                raise UserError(f"the circle of hole{k + 1} meets {meets[0]}: move it, or make it smaller.")

    def _names(self) -> Iterator[str]:
        yield "the outer polygon"
        yield from (f"hole{k + 1}" for k in range(len(self.holes)))


def circle(centre: tuple[float, float], radius: float, count: int) -> Ring:
    """The regular polygon with `count` vertices on a circle, the first one to the right of the centre."""
    angles = [2 * pi * k / count for k in range(count)]
    return tuple((centre[0] + radius * cos(angle), centre[1] + radius * sin(angle)) for angle in angles)


def around(radius: float, count: int) -> float:
    """The radius of the regular polygon's vertices that has the area of the circle."""
    return radius * (2 * pi / count / sin(2 * pi / count)) ** 0.5


def triangulated(polygon: Polygon, h: float) -> Simplices:
    """A conforming Delaunay triangulation with edges of about h, none longer than 1.5 h.

    Near short edges of the polygon, narrow places and sharp corners the triangles are smaller, and grow by 0.3 of the
    distance from there. All angles are at least 20°, but for those at vertices of the polygon with a smaller angle
    and in the triangles that touch these. A narrow slit of the outside refines the mesh as does a narrow part of the
    inside. Raises `UserError` where h is not positive or there is no such triangulation in floating point.
    """
    if not 0 < h < np.inf:
        raise UserError(f"h={h} is not allowed: the length of the triangles' edges is positive.")
    polygon.check()
    corners = polygon.segments[:, 0]
    low, scale = corners.min(axis=0), float(np.ptp(corners, axis=0).max())
    outline = Outline.of([(np.asarray(ring, float) - low) / scale for ring in polygon.rings])
    for angle in _TRIES:
        made = Refinement(outline, h / scale, angle).run()
        if made is None:
            continue
        nodes, cells, pieces, edges = made
        if not _fills(nodes, cells, pieces, polygon.area / scale**2):
            continue
        nodes = low + scale * nodes
        nodes[: len(corners)] = corners
        return Simplices(nodes, cells, pieces, polygon.labels[edges], polygon.parts)
    raise UserError(f"the polygon has no triangulation with h={h}: it may have parts too narrow for floating point.")


def _fills(nodes: np.ndarray, cells: np.ndarray, pieces: np.ndarray, area: float) -> bool:
    first, second, third = (nodes[cells[:, k]] for k in range(3))
    volumes = _cross(second - first, third - first) / 2
    outer = outer_facets(cells)
    if not (volumes > 0).all() or abs(volumes.sum() - area) > _AREA * area or len(outer) != len(pieces):
        return False
    try:
        matched(pieces, outer, len(nodes))
    except ValueError:
        return False
    return True


def _check_ring(name: str, ring: Ring) -> None:
    from shapely import LinearRing
    from shapely.validation import explain_validity

    if len(ring) < 3:
        raise UserError(f"{name} has {len(ring)} vertices: it has at least 3.")
    if not np.isfinite(np.asarray(ring, float)).all():
        raise UserError(f"{name} has a vertex that is no point of the plane: its coordinates are numbers.")
    for k, (first, second) in enumerate(pairwise((*ring, ring[0]))):
        if hypot(second[0] - first[0], second[1] - first[1]) == 0:
            raise UserError(f"{name} has the vertices {k + 1} and {(k + 1) % len(ring) + 1} in one point {_at(first)}.")
    points = np.asarray(ring, float)
    size = float(np.ptp(points, axis=0).max())
    if np.linalg.matrix_rank(points - points[0], tol=1e-14 * size) < 2:
        raise UserError(f"{name} has no area: its {len(ring)} vertices lie on a line.")
    whole = LinearRing(ring)
    if not whole.is_simple:
        where = explain_validity(whole).partition("[")[2].rstrip("]").split()
        place = f" at {_at((float(where[0]), float(where[1])))}" if len(where) >= 2 else ""
        raise UserError(f"{name} crosses or touches itself{place}: its edges meet in its vertices alone.")


def _at(point: tuple[float, float]) -> str:
    return f"({point[0]:g}, {point[1]:g})"


def _signed(ring: Ring) -> float:
    points = np.asarray(ring, float)
    points = points - points[0]
    return float(_cross(points, np.roll(points, -1, axis=0)).sum() / 2)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
