"""Problems on polygons with holes."""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hpms.errors import ConfigError
from hpms.options.conditions import DIRICHLET
from hpms.options.meshed import MeshedOptions
from hpms.options.problem import ProblemOptions

if TYPE_CHECKING:
    import numpy as np

    from hpms.config.config import Config
    from hpms.fem.mesh.polygon import Polygon
    from hpms.problem.corners import Corner
    from hpms.problem.domain import AbstractDomain
    from hpms.problem.lift import AbstractLift
    from hpms.problem.polygon import Edges
    from hpms.problem.source.base import AbstractSource

_ROUND = "w has its given values on circles, and the bound's mesh has polygons"
_CORNERS = "at corners that are not convex the residual may not be square integrable"
_MOST_EDGES, _MOST_HOLES = 12, 4  # that have a group of their own
_SINGULAR = 0.95  # exponent, below which a corner counts


@dataclass(frozen=True)
class PolygonalOptions(MeshedOptions, abc.ABC):
    """A domain that is a polygon with holes; `singular` is whether the network has singular functions at corners."""

    singular: bool

    @property
    def lengths(self) -> tuple[float, ...]:
        low, high = self._ends
        return tuple((high - low).tolist())

    @property
    def low(self) -> tuple[float, ...]:
        return tuple(self._ends[0].tolist())

    def check(self, config: Config) -> None:
        if self.dim != 2:
            raise ConfigError("problem.dim", self.dim, "a polygon lies in the plane: 2")
        super().check(config)

    def untrained(self) -> ProblemOptions:
        return replace(self, tau=1.0, singular=True)

    def own_names(self) -> tuple[str, ...]:
        return self.polygon.parts

    def pieces(self) -> tuple[tuple[str, ...], np.ndarray]:
        import numpy as np

        edges = self.polygon.segments[: len(self.polygon.outer)].mean(axis=1)
        holes = [np.mean(ring, axis=0) for ring in self.polygon.holes]
        return self.polygon.parts, np.concatenate([edges, np.reshape(holes, (-1, 2))])

    def domain(self, names: tuple[str, ...]) -> AbstractDomain:
        from hpms.problem.polygon import PolygonDomain

        return PolygonDomain(2, self.eps, self.polygon, names)

    def lift(self, data: tuple[AbstractSource, ...], groups: tuple[tuple[int, ...], ...]) -> AbstractLift:
        from hpms.problem.polygon import PolygonLift

        parts = self.polygon.parts
        return PolygonLift(data, self.polygon, tuple(tuple(parts[k] for k in group) for group in groups))

    @property
    @abc.abstractmethod
    def polygon(self) -> Polygon:
        """Ω; raises `ConfigError` where it is none."""

    @property
    def edges(self) -> Edges:
        """Each edge and hole by itself while they are few, else those together that have one condition.

        Edges that meet at a re-entrant corner are one where their conditions are: a product of two distances would
        vanish there like r², and w does like r^(π/ω).
        """
        from hpms.problem.polygon import Edges

        polygon, named = self.polygon, self._named_parts
        count, groups = len(polygon.outer), list[tuple[str, ...]]()
        for parts, most in ((polygon.parts[:count], _MOST_EDGES), (polygon.parts[count:], _MOST_HOLES)):
            if len(parts) > most:
                keys = dict.fromkeys(named[part] for part in parts)
                groups += [tuple(part for part in parts if named[part] == key) for key in keys]
                continue
            alone = [[part] for part in parts]
            for k in polygon.reentrant if most == _MOST_EDGES else ():
                before, behind = alone[k - 1], alone[k]
                kinds = {self.given[named[each[0]]].kind for each in (before, behind)}
                if (kinds == {DIRICHLET} or named[before[0]] == named[behind[0]]) and before is not behind:
                    before += behind
                    alone = [before if each is behind else each for each in alone]
            groups += [tuple(each) for i, each in enumerate(alone) if not any(each is other for other in alone[:i])]
        held = [i for i, group in enumerate(groups) if self.given[named[group[0]]].kind == DIRICHLET]
        return Edges(self.polygon, tuple(groups), tuple(held))

    @property
    def walls(self) -> Edges:
        return self.edges

    @property
    def lacks(self) -> str:
        polygon, edges = self.polygon, self.edges
        straight = [[polygon.straight(part) for part in edges.groups[k]] for k in edges.held]
        if any(0 in counts for counts in straight):
            return _ROUND
        return _CORNERS if self.corners or any(sum(counts) > 1 for counts in straight) else ""

    @property
    def corners(self) -> tuple[Corner, ...]:
        """Of the outer polygon, where the exponent is below 0.95."""
        if not self.singular:
            return ()
        from hpms.problem.corners import corner

        polygon, named, found = self.polygon, self._named_parts, []
        ring, held = polygon.turned, [self.given[named[part]].kind == DIRICHLET for part in polygon.turned_parts]
        for k, point in enumerate(ring):
            after, before = ring[(k + 1) % len(ring)], ring[k - 1]
            ahead, behind = (after[0] - point[0], after[1] - point[1]), (before[0] - point[0], before[1] - point[1])
            each = corner(point, ahead, behind, polygon.room(point), (held[k], held[k - 1]))
            if each.exponent < _SINGULAR:
                found.append(each)
        return tuple(found)

    @property
    def _named_parts(self) -> dict[str, str]:
        return dict(zip(self.polygon.parts, self.named, strict=True))

    @property
    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        corners = self.polygon.segments
        return corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
