"""The run-time type checker of the tests: beartype, where an int is a float."""

from typing import Any

from beartype import BeartypeConf, beartype

_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


def checked(function):
    """Checks what jaxtyping has it check around a call: before it the arguments, behind it what it returned alone."""
    returned = getattr(function, "__annotations__", {}).get("return", Any)
    if returned is not Any:
        function.__annotations__ = {"return": returned}
    return _checked(function)
