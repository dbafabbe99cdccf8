"""K and q: a number, a formula, a function of one point, an array, or an option of the configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hpms.config.shipped import config_dir
from hpms.errors import UserError, brief
from hpms.posed.arrays import IMAGE, kept
from hpms.posed.conditions import Name, datum, shown


@dataclass(frozen=True)
class Field:
    """What is `given` for a group: the `option` of a file in conf/, if it is one, and the keys upon it."""

    group: str
    given: Any
    option: str | None
    keys: Mapping[str, Any]

    @property
    def overrides(self) -> list[str]:
        """What is composed."""
        return [f"{self.group}={self.option}"] if self.option else []

    def values(self, composed: Mapping[str, Any], name: Name) -> dict[str, Any]:
        """The group's values, upon those that were composed."""
        found = {**composed, **self.keys} if self.option else dict(self.keys)
        return found | {"function": name(self.given, self.group)} if callable(self.given) else found

    def __str__(self) -> str:
        return f"an array {self.given.shape}" if isinstance(self.given, np.ndarray) else shown(self.given)


def field(group: str, given: Any, periods: Sequence[float | str] | None = None) -> Field:
    """`coefficient` (with its periods) or `source` as it was given; raises `UserError` where it is none of these."""
    known = {path.stem for path in Path(config_dir(), group).glob("*.yaml")}
    repeated = {} if periods is None else {"periods": list(periods)}
    if isinstance(given, str) and given in known:
        return Field(group, given, given, repeated)
    if isinstance(given, Mapping):
        if not isinstance(option := given.get("name"), str):
            raise UserError(f"{group}={brief(given)} is not allowed: an option has a name, as {{'name': 'layered'}}.")
        keys = {**given, **repeated}
        return Field(group, given, option, _without_name(keys)) if option in known else Field(group, given, None, keys)
    if callable(given):
        keys = {"name": "function"} | ({"periods": None} | repeated if group == "coefficient" else {})
        return Field(group, given, None, keys)
    if isinstance(given, np.ndarray) and given.ndim:
        return Field(group, given, IMAGE, kept(group, given, known) | repeated)
    return Field(group, given, "expression", {"formula": str(datum(given, group, _no_function))} | repeated)


def _without_name(keys: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in keys.items() if key != "name"}


def _no_function(function: Any, key: str) -> str:
    raise AssertionError(key)
