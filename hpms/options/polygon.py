"""`problem=polygon`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hpms.config.registry import register
from hpms.errors import ConfigError, UserError, brief
from hpms.formula import FormulaError, number
from hpms.options.polygonal import PolygonalOptions

if TYPE_CHECKING:
    from hpms.config.config import Config
    from hpms.fem.mesh.polygon import Polygon, Ring, Round

SIDES, _FEWEST, _MOST = 32, 3, 10_000  # of circles by default; vertices of a ring


@register("problem", "polygon")
@dataclass(frozen=True)
class PolygonOptions(PolygonalOptions):
    """`problem=polygon`: -∇·(K ∇w) + c w = q in a polygon with holes, with conditions of one's own.

    **Arguments:** `dim` is 2, `eps` as above; `vertices`, a list of points [x1, x2], one behind the other, and `holes`,
    a list of such lists and of {circle: [x1, x2, radius]}: a regular polygon of that area with 32 vertices, or as many
    as a fourth number says, whose given values the network has on the circle. The boundary has the parts edge1 (from
    the first vertex to the second), edge2, ..., hole1, ...;
    `parts` gives names to edges and holes, each by a formula that is true in their middles; `conditions` and `tau` as
    those of `problem=box`, for these names and for `all` the rest. With `singular` the network has r^α sin(αθ), or the
    cosine, at the corners of the outer polygon where second derivatives of the solution are not in L².
    """

    vertices: Any
    holes: Any

    def check(self, config: Config) -> None:
        super().check(config)
        self.check_width()

    def described(self) -> str:
        count, holes = len(self.polygon.outer), len(self.polygon.holes)
        beside = f" and {holes} hole{'s' * (holes > 1)}" if holes else ""
        return f"a polygon with {count} vertices{beside}"

    @cached_property
    def polygon(self) -> Polygon:
        """Ω; raises `ConfigError` where it is none."""
        from hpms.fem.mesh.polygon import Polygon

        holes = self.holes or ()
        if not isinstance(holes, list | tuple):
            raise ConfigError("problem.holes", brief(holes), "give a list of polygons and circles")
        outer = _ring(self.vertices, "problem.vertices")
        every = [_hole(each, f"problem.holes[{i}]") for i, each in enumerate(holes)]
        found = Polygon(outer, tuple(ring for ring, _ in every), tuple(each for _, each in every))
        try:
            found.check()
        except UserError as error:
            raise UserError(f"problem=polygon: {error}") from None
        return found

    @property
    def _written(self) -> tuple[str, ...]:
        return *super()._written, "vertices", "holes"

    def check_width(self) -> None:
        """Raises `ConfigError` where a ball of the diameter ε fits nowhere."""
        from shapely import Polygon as Filled

        if Filled(self.polygon.outer, self.polygon.holes).buffer(-self.eps / 2).is_empty:
            raise ConfigError("problem.eps", f"{self.eps:g}", "the polygon is nowhere as wide as that")


def _hole(given: Any, key: str) -> tuple[Ring, Round | None]:
    """Its vertices, and the circle that it stands for, if any."""
    from hpms.fem.mesh.polygon import around, circle

    if not isinstance(given, Mapping):
        return _ring(given, key), None
    values = given.get("circle")
    if len(given) != 1 or not isinstance(values, list | tuple) or len(values) not in (3, 4):
        raise ConfigError(key, brief(given), "a circle has a middle and a radius: {circle:[0.5,0.5,0.1]}")
    x1, x2, radius, *sides = (_number(each, key) for each in values)
    count = sides[0] if sides else float(SIDES)
    if not radius > 0 or count != int(count) or not _FEWEST <= count <= _MOST:
        raise ConfigError(key, brief(given), f"its radius is greater than 0, its vertices are {_FEWEST} to {_MOST}")
    return circle((x1, x2), around(radius, int(count)), int(count)), (x1, x2, radius)


def _ring(given: Any, key: str) -> Ring:
    example = "give a list of points, such as [[0,0],[2,0],[2,1]]"
    if not isinstance(given, list | tuple) or not _FEWEST <= len(given) <= _MOST:
        raise ConfigError(key, brief(given), f"{example}: {_FEWEST} to {_MOST} of them")
    for each in given:
        if not isinstance(each, list | tuple) or len(each) != 2:
            raise ConfigError(key, brief(each), example)
    return tuple((_number(x1, key), _number(x2, key)) for x1, x2 in given)


def _number(given: Any, key: str) -> float:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise ConfigError(key, brief(given), "a coordinate is a number")
    try:
        return number(str(given))
    except FormulaError as error:
        raise ConfigError(key, brief(given), str(error)) from None
