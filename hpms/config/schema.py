"""Typed options: a frozen dataclass is the schema, and plain values from a configuration become its instance.

Numbers may be given as arithmetic over the variables at hand (`1/15`, `2*eps`, `where(eps < 0.03, 5000, 2000)`).
"""

import dataclasses
import math
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hpms.config import aliases
from hpms.errors import ConfigError, UserError, brief, suggestion
from hpms.formula import FormulaError, number

T = TypeVar("T")


_LARGEST = 2.0**53  # of whole numbers that a float holds


@dataclass(frozen=True)
class Bound:
    """The range of a number: `above` < value, `least` <= value, value <= `most`."""

    above: float = -math.inf
    least: float = -math.inf
    most: float = math.inf

    def allows(self, value: int | float) -> bool:
        return value > self.above and self.least <= value <= self.most

    def __str__(self) -> str:
        parts = [
            *([f"greater than {self.above:g}"] if self.above > -math.inf else []),
            *([f"at least {self.least:g}"] if self.least > -math.inf else []),
            *([f"at most {self.most:g}"] if self.most < _LARGEST else []),
        ]
        return " and ".join(parts)


@dataclass(frozen=True)
class Place:
    """The path of a file or a folder, as it is: nothing in it is expanded."""

    what: str

    def allows(self, value: str) -> bool:
        return bool(value.strip()) and not value.startswith("~") and value.isprintable()

    def __str__(self) -> str:
        return f"the path of a {self.what}, with $HOME instead of ~"


Folder = Annotated[str, Place("folder")]
File = Annotated[str, Place("file")]
Positive = Annotated[float, Bound(above=0.0)]
NonNegative = Annotated[float, Bound(least=0.0)]
Fraction = Annotated[float, Bound(above=0.0, most=1.0)]
Count = Annotated[int, Bound(least=1.0, most=_LARGEST)]
Width = Annotated[float, Bound(least=1e-9)]  # of a mesh, or a length that one resolves
Depth = Annotated[int, Bound(least=1.0, most=100.0)]  # of what is compiled layer by layer


def read(schema: type[T], values: Any, path: str, variables: Mapping[str, float] | None = None) -> T:
    """An instance of the dataclass `schema` from plain `values`.

    **Arguments:** `path` is the prefix of the keys as the user types them (`"problem"`), `variables` are the names
    that numbers may use. Raises `ConfigError` for an unknown key, a missing one, a wrong type or a number out of range.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(path, values, f"'{path}' is a group of keys")
    hints = get_type_hints(schema, include_extras=True)
    fields = {f.name: f for f in dataclasses.fields(schema) if f.init}  # type: ignore[arg-type]
    values = aliases.fitting(path, values, fields)
    for key in values:
        if key not in fields and key != "name":
            raise unknown_key(_join(path, str(key)), [_join(path, name) for name in fields])
    found = {}
    for name, field in fields.items():
        if name in values:
            found[name] = convert(hints[name], values[name], _join(path, name), variables or {})
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise UserError(f"{_join(path, name)} has no value: give {_join(path, name)}=... .")
    return schema(**found)


def unknown_key(key: str, known: list[str]) -> UserError:
    """The error for a key that does not exist, with the closest one that does."""
    return UserError(
        f"'{brief(key)}' is not a key.{suggestion(key, known) or ' The keys are ' + ', '.join(known) + '.'}"
    )


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def convert(hint: Any, value: Any, key: str, variables: Mapping[str, float]) -> Any:
    """`value` as the type `hint`, or a `ConfigError` that names the key, the value and what is allowed."""
    origin = get_origin(hint)
    if origin is Annotated:
        base, *bounds = get_args(hint)
        result = convert(base, value, key, variables)
        for bound in bounds:
            if isinstance(bound, Bound | Place) and not bound.allows(result):
                raise ConfigError(key, value, f"it must be {bound}")
        return result
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return None
        (inner,) = [a for a in get_args(hint) if a is not type(None)]
        return convert(inner, value, key, variables)
    if origin is Literal:
        options = get_args(hint)
        if not any(type(value) is type(option) and value == option for option in options):
            raise ConfigError(key, value, f"choose {' or '.join(map(str, options))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(key, value, f"give a list such as {key}=[a,b]")
        return tuple(convert(get_args(hint)[0], v, f"{key}[{i}]", variables) for i, v in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(key, value, f"give names and numbers such as {key}={{a:1.0}}")
        for name in value:
            if not str(name).isidentifier():
                raise ConfigError(f"{key}.{brief(name)}", value[name], "a name has letters, digits and underscores")
        return {str(k): convert(get_args(hint)[1], v, f"{key}.{k}", variables) for k, v in value.items()}
    return _scalar(hint, value, key, variables)


def _scalar(hint: Any, value: Any, key: str, variables: Mapping[str, float]) -> Any:
    if hint is bool:
        if not isinstance(value, bool):
            raise ConfigError(key, value, "it must be true or false")
        return value
    if hint is str:
        if isinstance(value, bool | Mapping | list) or value is None:
            raise ConfigError(key, value, "it must be text")
        return str(value)
    if hint is typing.Any:
        return value
    kind = "a whole number" if hint is int else "a number"
    if isinstance(value, str):
        try:
            value = number(value, **variables)
        except FormulaError as error:
            raise ConfigError(key, value, f"it must be {kind} or arithmetic such as 1/15 ({error})") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise ConfigError(key, value, f"it must be {kind}")
    if hint is int:
        if value != round(value):
            raise ConfigError(key, value, "it must be a whole number")
        return round(value)
    return float(value)
