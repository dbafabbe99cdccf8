"""A source, or the data of a condition, given by a function of Python."""

from collections.abc import Sequence

import equinox as eqx
from jaxtyping import Array, Float

from hpms.errors import UserError
from hpms.named import is_known
from hpms.problem.digest import digest
from hpms.problem.point_function import PointFunction, recalled
from hpms.problem.source.base import AbstractSource


class FunctionSource(AbstractSource):
    """q(x) by a function of one point."""

    function: PointFunction = eqx.field(static=True)

    def value(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        return self.function(x)


def datum(text: str, key: str, sides: Sequence[float], low: Sequence[float] | None = None) -> FunctionSource:
    """The function of a condition on the box with these sides and its lowest corner at `low`, 0 by default.

    Raises `UserError` where this process does not have it, or where that of a plugin has other values by now.
    """
    known, found = is_known(text), FunctionSource(recalled(text, key))
    if not known and digest((found,), sides, low) != text.partition("#")[2]:
        raise UserError(f"{key}: the function {text.partition('#')[0]} is not what it was: undo the change.")
    return found
