"""Mappings and lists of formulas as they are typed on a command line, which Hydra's grammar cannot read."""

import re
from collections.abc import Mapping
from typing import Any

from hpms.errors import ConfigError, brief

_MOST, _WHOLE = 100, 2.0**53
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")


def parsed(text: str, key: str) -> Any:
    """Mappings, lists and formulas, as in `{left:{dirichlet:sin(x2)},all:{robin:[1,x1]}}`; `ConfigError` for
    others, which names the key."""
    if max(text.count(letter) for letter in "{[(") > _MOST:
        raise ConfigError(key, brief(text), f"it may open at most {_MOST} brackets of a kind")
    found, rest = _value(text.strip(), text, key)
    if rest:
        raise ConfigError(key, brief(text), f"nothing may stand behind its end, as '{rest[:20]}' does")
    return found


def written(given: Any) -> Any:
    """Mappings, lists and numbers in one form: without tuples and quotes, whole numbers without a decimal point."""
    if isinstance(given, Mapping):
        return {name: written(each) for name, each in given.items()}
    if isinstance(given, list | tuple):
        return [written(each) for each in given]
    if isinstance(given, str):
        given = given.strip("\"'")
        given = float(given) if _NUMBER.fullmatch(given) else given
    return int(given) if isinstance(given, float) and given.is_integer() and abs(given) < _WHOLE else given


def _value(text: str, whole: str, key: str) -> tuple[Any, str]:
    if text.startswith("{"):
        items, rest = {}, text[1:].lstrip()
        while not rest.startswith("}"):
            name, colon, rest = rest.partition(":")
            if not colon or not name.strip().isidentifier():
                raise ConfigError(key, brief(whole), "a name and a colon are missing")
            if name.strip() in items:
                raise ConfigError(key, brief(whole), f"{name.strip()} is given twice")
            items[name.strip()], rest = _value(rest.lstrip(), whole, key)
            rest = _behind(rest, "}", whole, key)
        return items, rest[1:].lstrip()
    if text.startswith("["):
        values, rest = [], text[1:].lstrip()
        while not rest.startswith("]"):
            value, rest = _value(rest, whole, key)
            values.append(value)
            rest = _behind(rest, "]", whole, key)
        return values, rest[1:].lstrip()
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and letter in ",}]":
            return text[:i].strip(), text[i:]
    return text.strip(), ""


def _behind(rest: str, end: str, whole: str, key: str) -> str:
    """What follows a comma, or the end itself."""
    if rest.startswith(","):
        return rest[1:].lstrip()
    if not rest.startswith(end):
        raise ConfigError(key, brief(whole), f"a '{end}' is missing")
    return rest
