"""Conditions on the parts of ∂Ω; data are numbers, formulas of x1, x2, x3 and eps, or functions of one point."""

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpms.errors import UserError, brief
from hpms.named import described
from hpms.options.conditions import KEY, LINEAR

Name = Callable[[Callable[[Any], Any], str], str]  # of a function and its key: how it stands in a configuration


class AbstractCondition(abc.ABC):
    """A condition on one part."""

    @abc.abstractmethod
    def plain(self, key: str, name: Name) -> Any:
        """What stands behind the part in `problem.conditions`."""

    @abc.abstractmethod
    def __str__(self) -> str:
        """The equation."""


@dataclass(frozen=True)
class Dirichlet(AbstractCondition):
    """w = `value`."""

    value: Any

    def plain(self, key: str, name: Name) -> Any:
        return {"dirichlet": datum(self.value, key, name)}

    def __str__(self) -> str:
        return f"w = {shown(self.value)}"


@dataclass(frozen=True)
class Neumann(AbstractCondition):
    """K∇w·n = `value`, n outward."""

    value: Any

    def plain(self, key: str, name: Name) -> Any:
        return {"neumann": datum(self.value, key, name)}

    def __str__(self) -> str:
        return f"K∇w·n = {shown(self.value)}"


@dataclass(frozen=True)
class Robin(AbstractCondition):
    """K∇w·n + a w = g with a = `rate` ≥ 0 and g = `value`, n outward."""

    rate: Any
    value: Any

    def plain(self, key: str, name: Name) -> Any:
        return {"robin": [datum(each, key, name) for each in (self.rate, self.value)]}

    def __str__(self) -> str:
        return f"K∇w·n + ({shown(self.rate)}) w = {shown(self.value)}"


@dataclass(frozen=True)
class Periodic(AbstractCondition):
    """On two opposite parts: w and its flux at one are those at the other."""

    def plain(self, key: str, name: Name) -> Any:
        return "periodic"

    def __str__(self) -> str:
        return "periodic"


def plain_conditions(given: Any, name: Name) -> Any:
    """`problem.conditions` of a mapping of parts to conditions, or `linear`; raises `UserError` for others."""
    example = "such as {'left': hpms.Dirichlet(0), 'all': hpms.Neumann(0)}, or 'linear'"
    if given == LINEAR:
        return LINEAR
    if not isinstance(given, Mapping):
        raise UserError(f"conditions={brief(given)} is not allowed: give a condition for each part, {example}.")
    for part, each in given.items():
        if isinstance(each, list | tuple | set):
            raise UserError(f"conditions: {brief(part)} has {len(each)} conditions: give one.")
        if not isinstance(each, AbstractCondition):
            kinds = "hpms.Dirichlet(g), hpms.Neumann(g), hpms.Robin(a, g) or hpms.Periodic()"
            raise UserError(f"conditions: {brief(part)} has {brief(each)}: give {kinds}.")
    return {str(part): each.plain(f"{KEY}.{part}", name) for part, each in given.items()}


def datum(given: Any, key: str, name: Name) -> Any:
    """A number, formula or function as it stands in a configuration; raises `UserError` for others."""
    if callable(given):
        return name(given, key)
    if isinstance(given, str):
        return given
    if np.ndim(given) == 0 and not isinstance(given, bool) and np.asarray(given).dtype.kind in "iuf":
        return float(given)
    raise UserError(f"{key}: {brief(given)} is not a number, a formula or a function of one point x.")


def shown(given: Any) -> str:
    """A datum for a reader."""
    return described(given) if callable(given) else brief(given)
