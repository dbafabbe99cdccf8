"""A box."""

import math
from typing import Any

from hpms.errors import UserError
from hpms.options.conditions import read_conditions
from hpms.posed.domain import AbstractDomain


class Box(AbstractDomain):
    """Ω = (0,s₁)×...×(0,s_d) with the `sides` s_1, ..., s_d, d = 1, 2, 3: `Box(2, 1)`."""

    option = "box"

    def __init__(self, *sides: Any):
        self.sides = tuple(_side(each) for each in sides)
        if len(sides) not in (1, 2, 3):
            raise UserError(f"{self!r} has {len(sides)} sides: give 1, 2 or 3, such as Box(2, 1).")

    @property
    def dim(self) -> int:
        return len(self.sides)

    @property
    def values(self) -> dict[str, Any]:
        return {"sides": list(self.sides)}

    @property
    def box(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return self.sides, (0.0,) * self.dim

    @property
    def described(self) -> str:
        return "×".join(f"(0,{side:g})" for side in self.sides)

    def check(self, eps: float, conditions: Any) -> None:
        read_conditions(conditions, self.dim)

    def __repr__(self) -> str:
        return f"Box({', '.join(f'{side:g}' for side in self.sides)})"


def _side(side: Any) -> float:
    try:
        found = float(side)
    except (TypeError, ValueError):
        found = math.nan
    if not 0 < found < math.inf:
        raise UserError(f"the side {side!r} of a Box is not a number greater than 0.")
    return found
