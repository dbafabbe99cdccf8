"""How many points a bound may have where nobody says."""

import math
from functools import cache

from hpms.machine.memory import available
from hpms.machine.processes import decided

_MOST, _BYTES = 1e8, 60  # points, and of memory for each of them


@cache
def room() -> float:
    """Points that memory has room for: the same in all processes, and at all times in one."""
    return decided(lambda: min(_MOST, 2.0 ** math.floor(math.log2(available() / _BYTES))))
