"""Functions of Python as plain text, `module:qualname#digest`, and where this process finds them again.

A function is found by the digest of its values, or by its name in a module that the user named as a plugin: no module
is imported because a run file names it, and no function of another one is called.
"""

import re
import sys
from collections.abc import Callable
from functools import reduce
from typing import Any

from hpms.config.registry import plugins
from hpms.errors import UserError, brief

_TEXT = re.compile(r"[\w.]{1,200}:[\w.<>]{1,200}#[0-9a-f]{12}")
_known: dict[str, Callable[[Any], Any]] = {}


def is_named(text: object) -> bool:
    """Whether a text names a function."""
    return isinstance(text, str) and bool(_TEXT.fullmatch(text))


def described(function: Callable[[Any], Any]) -> str:
    """`module:qualname`, by which a reader knows a function again; where it has none, that of its class."""
    where: Any = function if hasattr(function, "__qualname__") else type(function)
    module = re.sub(r"[^\w.]", "_", str(where.__module__))[:200] or "_"
    name = re.sub(r"[^\w.<>]", "_", str(where.__qualname__))[:200]
    return f"{module}:{name}"


def remember(function: Callable[[Any], Any], digest: str) -> str:
    """The text of a function whose values have this digest, by which `recall` finds it from now on."""
    _known[digest] = function
    return f"{described(function)}#{digest}"


def is_known(text: str) -> bool:
    """Whether this process has the function with these values."""
    return text.partition("#")[2] in _known


def recall(text: str, key: str) -> Callable[[Any], Any]:
    """The function that a text names; raises `UserError` where this process does not have it."""
    name, _, digest = text.partition("#")
    if digest in _known:
        return _known[digest]
    module, _, path = name.partition(":")
    if module in plugins() and module in sys.modules:
        found = reduce(lambda parent, part: getattr(parent, part, None), path.split("."), sys.modules[module])
        if callable(found) and described(found) == name:
            return found
    advice = "give its problem, as in hpms.load(run_dir, problem=problem)"
    if module != "__main__" and "<" not in path:
        advice += f", or the module that has it, plugins=[{brief(module)}]"
    raise UserError(f"{key} is the function {brief(name)}, which is not at hand: {advice}.")
