"""Which keys of the configuration a set of runs has in common, and what the others are in each group."""

from collections.abc import Sequence
from typing import Any

import yaml

from hpms.results.collection import Group, Run
from hpms.results.summary_table import text

ABSENT = "–"
_MISSING = object()


def common(runs: Sequence[Run]) -> list[list[str]]:
    """Key and value of what is the same in all runs."""
    return [[key, shown(values[0])] for key, values in _values(runs).items() if _same(values)]


def differing(runs: Sequence[Run], groups: Sequence[Group]) -> list[list[str]]:
    """The other keys, each with the values in every group."""
    keys = [key for key, values in _values(runs).items() if not _same(values)]
    return [[key, *(_cell(key, g) for g in groups)] for key in keys]


def label(keys: Sequence[str], g: Group) -> str:
    """A group in a few words: the names of options alone, other values behind their key."""
    pairs = [(key.rpartition("."), text(value)) for key, value in zip(keys, g.values, strict=True)]
    return ", ".join(f"{key} = {value}" if head or key == "seed" else value for (head, _, key), value in pairs)


def shown(value: Any) -> str:
    """A value as the configuration has it."""
    if isinstance(value, str):
        return value
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("...\n").strip()


def _values(runs: Sequence[Run]) -> dict[str, list[Any]]:
    keys = dict.fromkeys(key for run in runs for key in run.keys)
    return {key: [run.keys.get(key, _MISSING) for run in runs] for key in keys}


def _same(values: Sequence[Any]) -> bool:
    return len({repr(value) for value in values}) == 1


def _cell(key: str, g: Group) -> str:
    found = [run.keys.get(key, _MISSING) for run in g.runs]
    return ", ".join(dict.fromkeys(ABSENT if value is _MISSING else shown(value) for value in found))
