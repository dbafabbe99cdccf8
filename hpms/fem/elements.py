"""How many elements a coarse mesh has."""

import math


def elements(side: float, h: float, multiple: int = 1) -> int:
    """n = round(side/h) >= 2 along a side, or the next n that is a multiple of some number."""
    return multiple * math.ceil(max(2, round(side / h)) / multiple)
