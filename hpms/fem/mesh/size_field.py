"""The edge length that a triangulation of a polygon is to have at each point."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree

GROWTH = 0.3
_ACUTE = 0.5 + 1e-9  # cos 60°
_SHELLS = 1.15
_BLOCK = 2**22


@dataclass(frozen=True, eq=False)
class Outline:
    """The rings of a polygon: edge k runs from corner k to corner `after[k]`, edge `before[k]` ends at corner k."""

    corners: Float[np.ndarray, "n 2"]
    before: Int[np.ndarray, " n"]
    after: Int[np.ndarray, " n"]

    @classmethod
    def of(cls, rings: list[np.ndarray]) -> "Outline":
        """That of rings of vertices."""
        numbers = np.split(np.arange(sum(map(len, rings))), np.cumsum([len(ring) for ring in rings])[:-1])
        before, after = (np.concatenate([np.roll(each, shift) for each in numbers]) for shift in (1, -1))
        return cls(np.concatenate(rings), before, after)

    @cached_property
    def spans(self) -> Float[np.ndarray, "n 2"]:
        """From the first to the second end of each edge."""
        return self.corners[self.after] - self.corners

    @cached_property
    def lengths(self) -> Float[np.ndarray, " n"]:
        """Those of the edges."""
        return np.linalg.norm(self.spans, axis=1)

    @cached_property
    def chords(self) -> Float[np.ndarray, " n"]:
        """2 sin(θ/2), θ the angle between the edges at each corner."""
        units = self.spans / self.lengths[:, None]
        return np.linalg.norm(units + units[self.before], axis=1)

    @cached_property
    def acute(self) -> Bool[np.ndarray, " n"]:
        """Whether the angle between the edges at each corner is below 60°."""
        units = self.spans / self.lengths[:, None]
        return -(units * units[self.before]).sum(axis=1) > _ACUTE

    def along(self, edge: Int[np.ndarray, " m"], way: Float[np.ndarray, " m"]) -> Float[np.ndarray, "m 2"]:
        """The points of edges at distances from their first ends."""
        return self.corners[edge] + self.spans[edge] * (way / self.lengths[edge])[:, None]

    def apart(self, points: Float[np.ndarray, "m 2"], but: Int[np.ndarray, "m k"]) -> Float[np.ndarray, " m"]:
        """The distance of each point to the edges that are not among `but`."""
        found = np.empty(len(points))
        (start_x, start_y), (span_x, span_y), squares = self.corners.T, self.spans.T, self.lengths**2
        step = max(1, _BLOCK // len(self.corners))
        for start in range(0, len(points), step):
            block = slice(start, start + step)
            x, y = points[block, :1] - start_x, points[block, 1:] - start_y
            way = np.clip((x * span_x + y * span_y) / squares, 0, 1)
            square = (x - way * span_x) ** 2 + (y - way * span_y) ** 2
            np.put_along_axis(square, but[block], np.inf, axis=1)
            found[block] = np.sqrt(square.min(axis=1))
        return found


class SizeField:
    """s(x) = min(h, min_i s_i + 0.3 |x - x_i|) for points x_i of the outline.

    s_i is the distance to the next edge that does not end there, or the width between two edges that meet at less than
    60°, from the distance `shells` (n,) of that corner on.
    """

    def __init__(self, outline: Outline, h: float):
        self.h, self.outline = h, outline
        every = np.arange(len(outline.corners))
        tips = outline.apart(outline.corners, np.stack([every, outline.before], axis=1))
        shortest = np.minimum(outline.lengths, outline.lengths[outline.before])
        self.shells = np.where(outline.acute, np.minimum(np.minimum(h, tips), shortest / 3), 0.0)
        parts = [(outline.corners, tips), self._across(), *self._wedges()]
        points, sizes = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        order = np.argsort(sizes, kind="stable")
        order = order[sizes[order] < h]
        self._points, self._sizes = _undominated(points[order], sizes[order])
        self._tree = KDTree(self._points)

    def __call__(self, points: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, " m"]:
        found = np.full(len(points), self.h)
        if not len(self._sizes):
            return found
        reach = (self.h - self._sizes[0]) / GROWTH
        close = np.flatnonzero(np.isfinite(self._tree.query(points, distance_upper_bound=reach)[0]))
        step = max(1, _BLOCK // len(self._sizes))
        for start in range(0, len(close), step):
            block = close[start : start + step]
            x, y = (points[block, None, k] - self._points[:, k] for k in (0, 1))
            found[block] = np.minimum(self.h, (self._sizes + GROWTH * np.sqrt(x * x + y * y)).min(axis=1))
        return found

    def _across(self) -> tuple[np.ndarray, np.ndarray]:
        """Points of the edges and the distances to edges that are no neighbours, close where these are short."""
        outline = self.outline
        every = np.arange(len(outline.corners))
        but = np.stack([every, outline.before, outline.after], axis=1)
        ends = [outline.apart(outline.corners[each], but) for each in (every, outline.after)]
        edge, low, high = every, np.zeros(len(every)), outline.lengths.copy()
        points, sizes = [outline.corners, outline.corners[outline.after]], list(ends)
        left, right = ends
        while True:
            gap = high - low
            close = ((left + right - gap) / 2 < self.h) & (gap > np.minimum(np.maximum(left, right), self.h) / 2)
            edge, (low, high, left, right) = edge[close], (each[close] for each in (low, high, left, right))
            if not len(edge):
                return np.concatenate(points), np.concatenate(sizes)
            middle = (low + high) / 2
            points.append(outline.along(edge, middle))
            sizes.append(outline.apart(points[-1], but[edge]))
            edge, low, high = np.tile(edge, 2), np.concatenate([low, middle]), np.concatenate([middle, high])
            left, right = np.concatenate([left, sizes[-1]]), np.concatenate([sizes[-1], right])

    def _wedges(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Points of edges that meet at a sharp corner, and the widths between these there."""
        outline, parts = self.outline, []
        corner = np.flatnonzero(outline.acute)
        way, chord, lengths = self.shells[corner], outline.chords[corner], outline.lengths
        for edge, forward in ((corner, True), (outline.before[corner], False)):
            each = way.copy()
            while True:
                on = (each < lengths[edge]) & (chord * each < self.h)
                if not on.any():
                    break
                there = each if forward else lengths[edge] - each
                parts.append((outline.along(edge[on], there[on]), chord[on] * each[on]))
                each = np.where(on, each * _SHELLS, np.inf)
        return parts


def _undominated(points: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Those of the points, sorted by size, that lower the field of the ones before."""
    kept: list[int] = []
    lowest = np.full(len(points), np.inf)
    for k in range(len(points)):
        if lowest[k] > sizes[k]:
            kept.append(k)
            gap = points[k:] - points[k]
            np.minimum(lowest[k:], sizes[k] + GROWTH * np.hypot(gap[:, 0], gap[:, 1]), out=lowest[k:])
    return points[kept], sizes[kept]
