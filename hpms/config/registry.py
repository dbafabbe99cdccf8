"""The options of every group by name: `@register("network", "mlp")` on a frozen dataclass is all that a new one needs.

Built-in options are in `hpms.options`; a user's own module joins with `plugins=[module]` on the
command line, and never because a run file names it.
"""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from hpms.errors import ConfigError, UserError, brief, suggestion
from hpms.options.base import AbstractOptions

_BUILT_IN = ("hpms.options",)
_options: dict[str, dict[str, type]] = {}
_plugins: set[str] = set()
T = TypeVar("T", bound=type)


def register(group: str, name: str) -> Callable[[T], T]:
    """Makes the decorated dataclass the option `group=name`; its fields are the keys `group.*`.

    Raises `UserError` where it is no `AbstractOptions`, and where another one has that name.
    """

    def add(schema: T) -> T:
        if not issubclass(schema, AbstractOptions):
            base = f"hpms.options.{group}.{group.capitalize()}Options"
            raise UserError(f"{group}={name} is not an option: make {schema.__qualname__} a subclass of {base}.")
        known = _options.setdefault(group, {}).setdefault(name, schema)
        if (known.__module__, known.__qualname__) != (schema.__module__, schema.__qualname__):
            raise UserError(f"{group}={name} is registered twice, by {known.__module__} and {schema.__module__}.")
        _options[group][name] = schema
        return schema

    return add


def options(group: str) -> dict[str, type]:
    """The dataclasses of a group by name, in the order of their modules."""
    for package in _BUILT_IN:
        module = importlib.import_module(package)
        for info in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{package}."):
            importlib.import_module(info.name)
    return dict(sorted(_options[group].items(), key=lambda each: each[1].__module__))


def option(group: str, name: object) -> type:
    """The dataclass of `group=name`; a `UserError` that lists the options where there is none."""
    known = options(group)
    if not isinstance(name, str) or name not in known:
        hint = suggestion(brief(name), known)
        hint = hint or ("" if _plugins else " One of your own needs the module that has it: plugins=[my_module].")
        raise UserError(f"{group}={brief(name)} is not an option: choose {' or '.join(sorted(known))}.{hint}")
    return known[name]


def plugins() -> frozenset[str]:
    """The modules that the user named."""
    return frozenset(_plugins)


def load_named(values: Mapping[str, Any]) -> None:
    """Imports the `plugins` of composed values, which files of the user's own may name."""
    modules = values.get("plugins") or ()
    if not isinstance(modules, list | tuple):
        raise ConfigError("plugins", modules, "give a list such as plugins=[my_module]")
    load_plugins(map(str, modules))


def load_plugins(modules: Iterable[str]) -> None:
    """Imports the user's modules, which register their options; the working directory is searched too."""
    for module in modules:
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.append(here)
        try:
            importlib.import_module(module)
            _plugins.add(module)
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"plugins=[{module}] cannot be imported ({type(error).__name__}: {error}).") from None
