"""Delaunay refinement of a polygon: Ruppert (1995), in rounds of many points each, with smoothing."""

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, KDTree, QhullError

from hpms.fem.mesh.size_field import Outline, SizeField

_ROUNDS, _PASSES, _MOST = 400, 6, 4_000_000
_WIDE = 0.72  # of the wished edge length: the largest circumradius
_LONG = 1.05  # of it: the longest piece of the boundary that stays beside a wide triangle
_FENCE = 8
_INSIDE, _CLEAR = 1 - 1e-9, 1.05  # of a piece's diametral circle
_SHELL = 1e-9

Made = tuple[Float[np.ndarray, "n 2"], Int[np.ndarray, "t 3"], Int[np.ndarray, "p 2"], Int[np.ndarray, " p"]]


class Refinement:
    """Points, and pieces of the polygon's edges, that become a triangulation with angles of at least `angle` degrees.

    A piece with a point in its diametral circle is halved. A triangle that is too wide or too sharp gets its
    circumcentre as a point, or the piece halved in whose circle that lies. Triangles between two pieces at a sharp
    corner, at the same distance from it, stay: their angle is the polygon's.
    """

    def __init__(self, outline: Outline, h: float, angle: float):
        self.outline, self.field, self.h = outline, SizeField(outline, h), h
        self._sharp = np.inf if angle == 0 else 1 / (2 * np.sin(np.radians(angle)))
        count = len(outline.corners)
        self.points, self.home = outline.corners, np.full(count, -1)
        self.pieces, self.edges = self._cut()
        self.wished = self.field(self.points)
        self._add(self._seeds())

    def run(self) -> Made | None:
        """Nodes, the polygon's corners first, triangles, pieces of the boundary and the edge of each; None where it
        does not come to an end.
        """
        try:
            if not self._refined():
                return None
            for _ in range(_PASSES):
                self._smooth()
            if not self._refined():
                return None
        except QhullError:
            return None
        return self.points, self.cells, self.pieces, self.edges

    def _cut(self) -> tuple[Int[np.ndarray, "p 2"], Int[np.ndarray, " p"]]:
        """The edges in pieces of the wished lengths; at a sharp corner both first ones are equally long."""
        outline, field = self.outline, self.field
        lengths, start, stop = outline.lengths, field.shells, outline.lengths - field.shells[outline.after]
        pieces, owners = [], []
        for edge, marks in enumerate(_marched(outline, field, start, stop)):
            ways = marks[(marks > 0) & (marks < lengths[edge])]
            inner = len(self.points) + np.arange(len(ways))
            self.points = np.concatenate([self.points, outline.along(np.full(len(ways), edge), ways)])
            self.home = np.concatenate([self.home, np.full(len(ways), edge)])
            chain = np.concatenate([[edge], inner, [outline.after[edge]]])
            pieces.append(np.stack([chain[:-1], chain[1:]], axis=1))
            owners.append(np.full(len(chain) - 1, edge))
        return np.concatenate(pieces), np.concatenate(owners)

    def _seeds(self) -> Float[np.ndarray, "m 2"]:
        """A hexagonal lattice where the wished edges are the longest."""
        low, high = self.outline.corners.min(axis=0), self.outline.corners.max(axis=0)
        sides = (high - low) / self.h
        if sides[0] * sides[1] > _MOST:
            return np.zeros((0, 2))
        columns, rows = (np.arange(1, int(side) + 1) * self.h for side in (sides[0], sides[1] * 2 / np.sqrt(3)))
        x, y = np.meshgrid(columns, rows * np.sqrt(3) / 2)
        x[1::2] -= self.h / 2
        lattice = np.stack([x.ravel(), y.ravel()], axis=1)
        lattice = low + lattice + 1e-3 * self.h * np.random.default_rng(0).uniform(-1, 1, lattice.shape)
        lattice = lattice[self.field(lattice) > 0.95 * self.h]
        lattice = lattice[self._contains(lattice)]
        return lattice[self._gap(lattice) > 0.6 * self.h]

    def _contains(self, points: Float[np.ndarray, "m 2"]) -> Bool[np.ndarray, " m"]:
        """Whether points lie in the polygon, by the parity of crossings."""
        first, second = self.outline.corners, self.outline.corners[self.outline.after]
        inside = np.zeros(len(points), bool)
        for a, b in zip(first, second, strict=True):
            if a[1] == b[1]:
                continue
            level = (a[1] > points[:, 1]) != (b[1] > points[:, 1])
            at = a[0] + (points[:, 1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
            inside ^= level & (points[:, 0] < at)
        return inside

    def _gap(self, points: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, " m"]:
        """The distance to the pieces, about."""
        if not len(points):
            return np.zeros(0)
        ends = self.points[self.pieces]
        marks = np.concatenate([ends[:, 0] + t * (ends[:, 1] - ends[:, 0]) for t in (0, 0.25, 0.5, 0.75)])
        return KDTree(marks).query(points)[0]

    def _add(self, points: Float[np.ndarray, "m 2"], home: int | Int[np.ndarray, " m"] = -1) -> None:
        self.points = np.concatenate([self.points, points])
        self.home = np.concatenate([self.home, np.broadcast_to(home, len(points))])
        self.wished = np.concatenate([self.wished, self.field(points)])

    def _refined(self) -> bool:
        for _ in range(_ROUNDS):
            self._triangulate()
            broken = self._broken()
            if broken.any():
                self._halve(broken)
                continue
            split, centres = self._wanted()
            if not split.any() and not len(centres):
                return True
            if len(self.points) > _MOST:
                return False
            self._halve(split)
            self._add(centres)
        return False

    def _triangulate(self) -> None:
        """The Delaunay triangles of the points within the pieces; all pieces are there once none is `_broken`."""
        turn = 2 * np.pi * np.arange(_FENCE) / _FENCE
        fence = self.outline.corners.mean(axis=0) + 4 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        self._all = Delaunay(np.concatenate([self.points, fence]))
        cells, count = self._all.simplices.astype(np.int64), len(self.points) + _FENCE
        sides = np.sort(np.concatenate([cells[:, [1, 2]], cells[:, [2, 0]], cells[:, [0, 1]]]), axis=1)
        keys, ours = sides[:, 0] * count + sides[:, 1], np.sort(self.pieces, axis=1)
        ours = ours[:, 0] * count + ours[:, 1]
        self._missing = ~np.isin(ours, keys)
        wall = np.isin(keys, ours).reshape(3, -1).T
        beside = self._all.neighbors
        open_ = ~wall & (beside >= 0)
        rows = np.nonzero(open_)[0]
        graph = coo_array((np.ones(len(rows)), (rows, beside[open_])), shape=(len(cells), len(cells)))
        number, group = connected_components(graph, directed=False)
        corners = self._all.points[cells]
        spans = corners[:, 1:] - corners[:, :1]
        area = np.abs(spans[:, 0, 0] * spans[:, 1, 1] - spans[:, 0, 1] * spans[:, 1, 0])
        largest = np.full(number, -1)
        order = np.argsort(area, kind="stable")
        largest[group[order]] = order
        inside = self._contains(corners[largest].mean(axis=1))[group]
        cells = cells[inside]
        first, second, third = (self._all.points[cells[:, k]] for k in range(3))
        turned = _cross(second - first, third - first) < 0
        cells[turned] = cells[turned][:, [0, 2, 1]]
        self.cells = cells

    def _broken(self) -> Bool[np.ndarray, " p"]:
        """Pieces with a point in their diametral circle, or that are no edges of triangles."""
        middles, radii = self._circles()
        return self._missing | (KDTree(self.points).query_ball_point(middles, radii * _INSIDE, return_length=True) > 0)

    def _circles(self) -> tuple[Float[np.ndarray, "p 2"], Float[np.ndarray, " p"]]:
        """The pieces' diametral circles."""
        ends = self.points[self.pieces]
        return ends.mean(axis=1), np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1) / 2

    def _wanted(self) -> tuple[Bool[np.ndarray, " p"], Float[np.ndarray, "m 2"]]:
        """The pieces to halve and the points to add for triangles that are too wide or too sharp."""
        split = np.zeros(len(self.pieces), bool)
        centres, radius, shortest = _circumcircles(self.points[self.cells])
        wished = self.wished[self.cells].mean(axis=1)
        sharp = (radius > self._sharp * shortest) & ~self._given(shortest)
        tip = np.zeros(len(self.points), bool)
        tip[: len(self.outline.corners)] = self.outline.acute
        wide = radius > _WIDE * np.where(tip[self.cells].any(axis=1), self.h, wished)
        bad = np.flatnonzero(sharp | wide)
        if not len(bad):
            return split, np.zeros((0, 2))
        bad = bad[np.argsort(-radius[bad], kind="stable")]
        centres, radius, sharp = centres[bad], radius[bad], sharp[bad]
        tree = KDTree(centres)
        middles, radii = self._circles()
        long = 2 * radii > _LONG * self.wished[self.pieces].mean(axis=1)
        used = np.zeros(len(bad), bool)
        for piece, near in enumerate(tree.query_ball_point(middles, radii * _INSIDE)):
            if near:
                split[piece] = long[piece] or sharp[near].any()
                used[near] = True
        chosen = []
        for k, near in enumerate(tree.query_ball_point(centres, 0.9 * radius)):
            if not used[k]:
                chosen.append(k)
                used[near] = True
        return split, centres[chosen]

    def _given(self, shortest: Float[np.ndarray, " t"]) -> Bool[np.ndarray, " t"]:
        """Triangles whose shortest side runs between two edges at a sharp corner, equally far from it."""
        found = np.zeros(len(self.cells), bool)
        outline = self.outline
        for i, j in ((0, 1), (1, 2), (2, 0)):
            for one, other in ((i, j), (j, i)):
                a, b = self.cells[:, one], self.cells[:, other]
                after, before = self.home[a], self.home[b]
                meet = (after >= 0) & (before >= 0) & (outline.before[after] == before) & outline.acute[after]
                tip = outline.corners[after]
                far, near = (np.linalg.norm(self.points[each] - tip, axis=1) for each in (a, b))
                side = np.linalg.norm(self.points[a] - self.points[b], axis=1)
                found |= meet & (np.abs(far - near) < _SHELL * far) & (side <= shortest * (1 + _SHELL))
        return found

    def _halve(self, which: Bool[np.ndarray, " p"]) -> None:
        if not which.any():
            return
        pieces, edges = self.pieces[which], self.edges[which]
        middles = len(self.points) + np.arange(len(pieces))
        self._add(self.points[pieces].mean(axis=1), edges)
        self.pieces = np.concatenate(
            [
                self.pieces[~which],
                np.stack([pieces[:, 0], middles], axis=1),
                np.stack([middles, pieces[:, 1]], axis=1),
            ]
        )
        self.edges = np.concatenate([self.edges[~which], edges, edges])

    def _smooth(self) -> None:
        """Moves the points within to the weighted means of their triangles' centroids; Chen (2004)."""
        count = len(self.points)
        corners = self.points[self.cells]
        area = np.abs(_cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
        weight = area / self.wished[self.cells].mean(axis=1) ** 2
        centroid = corners.mean(axis=1)
        total = np.bincount(self.cells.ravel(), np.repeat(weight, 3), count)
        free = (self.home < 0) & (total > 0)
        free[: len(self.outline.corners)] = False
        moved = self.points.copy()
        for axis in range(2):
            mean = np.bincount(self.cells.ravel(), np.repeat(weight * centroid[:, axis], 3), count)
            moved[free, axis] = mean[free] / total[free]
        stay = free & ~self._within(moved)
        numbers = np.flatnonzero(free)
        if len(numbers):
            middles, radii = self._circles()
            for near in KDTree(moved[numbers]).query_ball_point(middles, radii * _CLEAR):
                stay[numbers[near]] = True
        moved[stay] = self.points[stay]
        changed = free & ~stay
        self.points = moved
        self.wished[changed] = self.field(moved[changed])
        self._triangulate()

    def _within(self, moved: Float[np.ndarray, "n 2"]) -> Bool[np.ndarray, " n"]:
        """Whether each point moved to one of its own triangles."""
        found = np.zeros(len(moved), bool)
        for k in range(3):
            numbers = self.cells[:, k]
            own, after, before = (self.points[self.cells[:, (k + i) % 3]] for i in range(3))
            there = moved[numbers]
            positive = (_cross(after - own, there - own) >= 0) & (_cross(there - own, before - own) >= 0)
            found[numbers[positive & (_cross(after - there, before - there) > 0)]] = True
        return found


def _marched(
    outline: Outline, field: SizeField, start: Float[np.ndarray, " n"], stop: Float[np.ndarray, " n"]
) -> list[Float[np.ndarray, " m"]]:
    """Distances along each edge, from `start` to `stop`, whose steps have the wished lengths, about."""
    edges = np.arange(len(start))
    marks, way = [[each] for each in start], start.copy()
    while len(edges):
        step = field(outline.along(edges, way[edges]))
        step = field(outline.along(edges, np.minimum(way[edges] + step / 2, stop[edges])))
        way[edges] += step
        for edge in edges:
            marks[edge].append(way[edge])
        edges = edges[way[edges] < stop[edges]]
    found = []
    for each, end in zip(marks, stop, strict=True):
        total = np.interp(end, each, np.arange(len(each)))
        count = max(1, int(np.ceil(total - 0.15)))
        ways = np.interp(np.linspace(0, total, count + 1), np.arange(len(each)), each)
        ways[-1] = end
        found.append(ways)
    return found


def _circumcircles(corners: Float[np.ndarray, "t 3 2"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Circumcentres, circumradii and shortest sides."""
    first, one, two = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    a, b = (one**2).sum(axis=1), (two**2).sum(axis=1)
    twice = 2 * _cross(one, two)
    twice = np.where(twice == 0, np.finfo(float).tiny, twice)
    x = (two[:, 1] * a - one[:, 1] * b) / twice
    y = (one[:, 0] * b - two[:, 0] * a) / twice
    shortest = np.sqrt(np.minimum(np.minimum(a, b), ((two - one) ** 2).sum(axis=1)))
    return first + np.stack([x, y], axis=1), np.hypot(x, y), shortest


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
