"""`problem=perforated`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated

import numpy as np

from hpms.config.registry import register
from hpms.config.schema import Bound, Positive
from hpms.errors import ConfigError
from hpms.fem.faces import PARTS
from hpms.options.polygonal import PolygonalOptions

if TYPE_CHECKING:
    from hpms.fem.mesh.polygon import Polygon

_HOLES, _ORDER = "holes", (2, 1, 3, 0)  # the faces of the edges, counterclockwise from the lowest one
_MOST = 16


@register("problem", "perforated")
@dataclass(frozen=True)
class PerforatedOptions(PolygonalOptions):
    """`problem=perforated`: -∇·(K ∇w) + c w = q in a rectangle with a round hole in the middle of each square of the
    side ε, with conditions of one's own.

    **Arguments:** `dim` is 2, `eps` the period, of which the sides are multiples, at most 16 times; `sides` s_1, s_2,
    or null for 1; `radius` of the holes, in periods, and `vertices` of the regular polygons of that area
    in their place. The parts are left, right, bottom, top and holes; `parts`, `conditions`, `tau` and `singular` as
    those of `problem=polygon`.
    """

    sides: tuple[Positive, ...] | None
    radius: Annotated[float, Bound(above=0.0, most=0.49)]
    vertices: Annotated[int, Bound(least=6, most=64)]

    def described(self) -> str:
        box = "×".join(f"(0,{side:g})" for side in self._sides)
        return f"{box} with {'×'.join(map(str, self._counts))} holes of the radius {self.radius:g} eps"

    def own_names(self) -> tuple[str, ...]:
        return (*PARTS[:4], _HOLES)

    def pieces(self) -> tuple[tuple[str, ...], np.ndarray]:
        names, middles = super().pieces()
        edges = tuple(PARTS[k] for k in _ORDER)
        return (*edges, *[_HOLES] * (len(names) - len(edges))), middles

    @cached_property
    def polygon(self) -> Polygon:
        """Ω."""
        from hpms.fem.mesh.polygon import Polygon, around, circle

        (s1, s2), counts = self._sides, self._counts
        reach = around(self.radius * self.eps, self.vertices)
        if reach >= self.eps / 2:
            raise ConfigError("problem.radius", f"{self.radius:g}", "its polygons touch: make them smaller")
        middles = [((i + 0.5) * self.eps, (j + 0.5) * self.eps) for i, j in np.ndindex(*counts)]
        holes = tuple(circle(middle, reach, self.vertices) for middle in middles)
        rounds = tuple((*middle, self.radius * self.eps) for middle in middles)
        found = Polygon(((0.0, 0.0), (s1, 0.0), (s1, s2), (0.0, s2)), holes, rounds)
        found.check()
        return found

    @property
    def _sides(self) -> tuple[float, ...]:
        if self.sides is not None and len(self.sides) != 2:
            raise ConfigError("problem.sides", list(self.sides), "give two lengths")
        return self.sides or (1.0, 1.0)

    @property
    def _counts(self) -> tuple[int, ...]:
        turns = [side / self.eps for side in self._sides]
        if any(abs(turn - round(turn)) > 1e-6 or not 1 <= round(turn) <= _MOST for turn in turns):
            reason = f"the sides {list(self._sides)} are multiples of it, 1 to {_MOST} times"
            raise ConfigError("problem.eps", f"{self.eps:g}", reason)
        return tuple(round(turn) for turn in turns)
