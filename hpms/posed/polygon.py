"""A polygon with holes."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from hpms.errors import UserError, brief
from hpms.options.polygon import SIDES, PolygonOptions
from hpms.posed.domain import AbstractDomain


class Circle:
    """A hole, the regular polygon with `sides` vertices on the circle of a `centre` and a `radius`."""

    def __init__(self, centre: Any, radius: Any, sides: int = SIDES):
        self.centre, self.radius, self.sides = _point(centre, "centre", "Circle"), radius, sides
        if not _is_number(radius) or not radius > 0:
            raise UserError(f"the radius {brief(repr(radius))} of a Circle is not a number greater than 0.")
        if isinstance(sides, bool) or not isinstance(sides, int):
            raise UserError(f"a Circle with {brief(repr(sides))} sides is not allowed: their number is a whole one.")

    @property
    def plain(self) -> dict[str, Any]:
        """What stands in `problem.holes`."""
        return {"circle": [*self.centre, float(self.radius), *([] if self.sides == SIDES else [self.sides])]}

    def __repr__(self) -> str:
        return f"Circle({_shown(self.centre)}, {self.radius:g}, {self.sides})"


class Polygon(AbstractDomain):
    """Ω within `vertices`, points (x₁, x₂) one behind the other, and without `holes`, each a list of such points or a
    `hpms.Circle`: `Polygon([(0, 0), (2, 0), (0, 1)])`.

    The boundary has the parts edge1 (from the first vertex to the second), edge2, ..., hole1, ...; `parts` gives more
    names, each with a formula that is true in the middles of the edges and holes that it is to have, such as
    {"outlet": "x1>1.9"}. Raises `UserError` for what is no polygon.
    """

    option = "polygon"

    def __init__(self, vertices: Any, holes: Iterable[Any] = (), parts: Mapping[str, str] | None = None):
        self.vertices = _ring(vertices)
        if not isinstance(holes, Iterable) or isinstance(holes, str | Mapping):
            raise UserError(f"holes={brief(holes)} is not allowed: give a list of polygons and hpms.Circle.")
        self.holes = tuple(each if isinstance(each, Circle) else _ring(each) for each in holes)
        if parts is not None and not isinstance(parts, Mapping):
            raise UserError(f"parts={brief(parts)} is not allowed: give names and formulas, {{'outlet': 'x1>1.9'}}.")
        self.parts = dict(parts or {})
        assert self._options.polygon

    @property
    def dim(self) -> int:
        return 2

    @property
    def values(self) -> dict[str, Any]:
        holes = [each.plain if isinstance(each, Circle) else [list(point) for point in each] for each in self.holes]
        return {"vertices": [list(point) for point in self.vertices], "holes": holes, "parts": self.parts}

    @property
    def box(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return self._options.lengths, self._options.low

    @property
    def described(self) -> str:
        return self._options.described()

    def check(self, eps: float, conditions: Any) -> None:
        options = replace(self._options, eps=eps, conditions=conditions)
        options.check_width()
        assert options.named

    @cached_property
    def _options(self) -> PolygonOptions:
        return PolygonOptions(2, 1.0, conditions={"all": {"neumann": 0}}, tau=1.0, singular=True, **self.values)

    def __repr__(self) -> str:
        holes = f", [{', '.join(map(repr, self.holes))}]" if self.holes else ""
        return brief(f"Polygon([{', '.join(map(_shown, self.vertices))}]{holes})")


def _ring(points: Any) -> tuple[tuple[float, float], ...]:
    try:
        every = list(points)
    except TypeError:
        every = []
    if len(every) < 3 or isinstance(points, str | Mapping):
        raise UserError(f"{brief(points)} is no polygon: give three points or more, such as [(0, 0), (2, 0), (0, 1)].")
    return tuple(_point(each, "vertex", "Polygon") for each in every)


def _point(given: Any, what: str, whose: str) -> tuple[float, float]:
    is_pair = isinstance(given, list | tuple | np.ndarray) and len(given) == 2
    if not is_pair or not all(_is_number(each) for each in given):
        raise UserError(f"the {what} {brief(repr(given))} of a {whose} is not a pair of numbers, such as (0.5, 1).")
    return float(given[0]), float(given[1])


def _is_number(given: Any) -> bool:
    return not isinstance(given, bool) and isinstance(given, int | float | np.number) and bool(np.isfinite(given))


def _shown(point: tuple[float, float]) -> str:
    return f"({point[0]:g}, {point[1]:g})"
