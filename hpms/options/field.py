"""Numbers, formulas and named functions of Python, as data of conditions and of a law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hpms.formula import field_formula
from hpms.named import is_named

if TYPE_CHECKING:
    from hpms.problem.source.base import AbstractSource


def check_field(text: str, dim: int, key: str) -> None:
    """Raises `UserError` that names `key` where a text is neither a formula in d dimensions nor names a function."""
    if not is_named(text):
        field_formula(text, dim, {}, key)


def build_field(
    text: str, sides: Sequence[float], eps: float, key: str, low: Sequence[float] | None = None
) -> AbstractSource:
    """The function of one point on the box with these sides and its lowest corner at `low`, 0 by default.

    Raises `UserError` where `text` is none, and where the function that it names is not at hand or is not what it was.
    """
    from hpms.problem.source.expression import ExpressionSource
    from hpms.problem.source.function import datum

    if is_named(text):
        return datum(text, key, sides, low)
    return ExpressionSource(field_formula(text, len(sides), {}, key), eps, ())
