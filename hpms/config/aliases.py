"""Names that keys and options had before: each is still read, and the hash of a run keeps the first.

A composed configuration has today's names alone: `typed` gives them to a command line, `loaded` to a file of YAML,
`stored` to a run file. Where a plugin's option has a key of an earlier name, `fitting` gives that back.
"""

import logging
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from hpms.errors import UserError

log = logging.getLogger(__name__)

RENAMED = {  # in which version, from what, to what
    "0.1.0": {
        "network.layers": "network.boundary_layers",
        "optimizer.least_damping": "optimizer.min_damping",
        "collocation.interior": "collocation.interior_points",
        "collocation.boundary": "collocation.boundary_points",
        "collocation.share": "collocation.layer_share",
        "collocation.width": "collocation.layer_width",
        "coupling.cells": "coupling.box_periods",
        "reference.fem_h": "reference.baseline_h",
        "sweep.fem_h": "sweep.fine_h",
        "collocation=fresh": "collocation=resampled",
        "collocation=layers": "collocation=boundary_layers",
        "network=ms_pinn_small": "network=ms_pinn_light",
        "network=two_scale_small": "network=two_scale_light",
    },
}
_TODAY = {old: new for names in RENAMED.values() for old, new in names.items()}
_EARLIER = {new: old for old, new in _TODAY.items()}
_TYPED = re.compile(r"([+~]{0,2})(\w+\.\w+)(.*)", re.DOTALL)
_ASKED = re.compile(r"(?<=\$\{)(oc\.select:)?(\w+\.\w+)(?=[},.\[])")
_seen: set[str] = set()
_told: set[str] = set()


def current(name: str) -> str:
    """What `group.key` or `group=option` is called today."""
    while name in _TODAY:
        name = _TODAY[name]
    return name


def first(name: str) -> str:
    """What `group.key` or `group=option` was called at first."""
    while name in _EARLIER:
        name = _EARLIER[name]
    return name


def typed(arguments: Iterable[str]) -> list[str]:
    """Overrides in today's keys; raises `UserError` where a key is given by two names."""
    found, given = [], []
    for argument in map(_asking, arguments):
        if match := _TYPED.fullmatch(argument):
            sign, key, rest = match.groups()
            given.append(key)
            argument = f"{sign}{_noticed(key)}{rest}"
        found.append(argument)
    _check_once(given)
    return found


def loaded(values: Any, package: str) -> Any:
    """The content of a file of YAML for that package, "" for all groups, in today's keys; errors as `typed`."""
    values = _asking(values)
    if not isinstance(values, Mapping) or "." in package:
        return values
    if package:
        return _renamed(package, values)
    return {key: _renamed(key, inner) if isinstance(inner, Mapping) else inner for key, inner in values.items()}


def option_of(place: str) -> str:
    """`group/option` of a file by what the option is called today."""
    group, _, name = place.strip("/").removesuffix(".yaml").rpartition("/")
    return _noticed(f"{group}={name}").replace("=", "/") if f"{group}={name}" in _TODAY else place


def stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration of a run file in today's names; it need not be sound."""
    return {
        group: _each(group, inner, current) if isinstance(inner, dict) else inner for group, inner in values.items()
    }


def hashed(group: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a group by the names of which its hash is made."""
    return _each(group, values, first)


def fitting(group: str, values: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """The values of a group by the keys of its option; tells which earlier names of the group were given."""
    for old in sorted(each for each in _seen - _told if re.split("[.=]", each)[0] == group):
        if "=" in old or current(old).partition(".")[2] in fields:
            _told.add(old)
            log.warning("%s is called %s now: the old name is still read", old, current(old))
    return {key if key in fields else _own(group, key, fields): value for key, value in values.items()}


def _own(group: str, key: str, fields: Collection[str]) -> str:
    """The earlier name of a key, where the option has that one, else the key."""
    earlier = first(f"{group}.{key}").partition(".")[2]
    return earlier if earlier in fields else key


def _each(group: str, values: Mapping[str, Any], name: Any) -> dict[str, Any]:
    """The values by other names of their keys and of the option; a key that is there already stays."""
    found = {}
    for key, value in values.items():
        other = name(f"{group}.{key}").partition(".")[2]
        found[key if other in values else other] = value
    if isinstance(option := found.get("name"), str):
        found["name"] = name(f"{group}={option}").partition("=")[2]
    return found


def _renamed(group: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a group in a file by today's names."""
    keys = [f"{group}.{key}" for key in values]
    _check_once(keys)
    for key in (*keys, f"{group}={values.get('name')}"):
        _noticed(key)
    return _each(group, values, current)


def _check_once(keys: Sequence[str]) -> None:
    """Raises `UserError` where one of the keys is an old name of another."""
    for key in keys:
        if (name := current(key)) != key and name in keys:
            raise UserError(f"{key} and {name} are given, and are one key: keep {name}.")


def _noticed(name: str) -> str:
    """What it is called today; an old name is remembered."""
    if (today := current(name)) != name:
        _seen.add(name)
    return today


def _asking(value: Any) -> Any:
    """A value whose interpolations, such as ${coarse.h}, have today's keys."""
    if isinstance(value, str):
        return _ASKED.sub(lambda match: f"{match[1] or ''}{_noticed(match[2])}", value)
    if isinstance(value, Mapping):
        return {key: _asking(inner) for key, inner in value.items()}
    return [_asking(inner) for inner in value] if isinstance(value, list) else value
