"""Conditions on the faces of a box for each component of a vector, as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from hpms.errors import ConfigError, brief
from hpms.options.conditions import DIRICHLET, KEY, NEUMANN, Condition, read_conditions
from hpms.options.mapping import parsed

_KINDS = (DIRICHLET, NEUMANN)
_ONE = "{0}:[{1}], {2}:[{3}], or both, each with null where the other one has the component"


def are_components(given: Any) -> bool:
    """Whether a condition has a list of components."""
    found = parsed(given, KEY) if isinstance(given, str) and given.startswith("{") else given
    every = found.values() if isinstance(found, Mapping) else ()
    data = [each for part in every if isinstance(part, Mapping) for each in part.items()]
    return any(kind in _KINDS and isinstance(value, list | tuple) for kind, value in data)


def read_components(given: Any, dim: int) -> tuple[tuple[Condition, ...], ...]:
    """For each component the condition on each of the 2d parts, in their order.

    Raises `ConfigError` where a component has none on a part, or two, or nothing keeps the body from moving as a whole.
    """
    found = parsed(given, KEY) if isinstance(given, str) else given
    parts = {str(part): _part(f"{KEY}.{part}", data, dim) for part, data in found.items()}
    columns = [{part: each[i] for part, each in parts.items()} for i in range(dim)]
    every = tuple(read_conditions(column, dim) or () for column in columns)
    _check_held(given, every)
    return every


def _part(key: str, data: Any, dim: int) -> list[dict[str, Any]]:
    """The condition of each component on a part, as a kind and its data."""
    ones, nones = ",".join("g" * dim), ",".join("t" * dim)
    allowed = f"give {_ONE.format(DIRICHLET, ones, NEUMANN, nones)}"
    if not isinstance(data, Mapping) or not data or any(kind not in _KINDS for kind in data):
        raise ConfigError(key, brief(data), allowed)
    found: list[dict[str, Any]] = [{} for _ in range(dim)]
    for kind, values in data.items():
        if not isinstance(values, list | tuple) or len(values) != dim:
            raise ConfigError(f"{key}.{kind}", brief(values), f"give {dim} components, such as [{','.join('0' * dim)}]")
        for i, value in enumerate(values):
            if value is not None and value != "null":
                found[i][kind] = value
    for i, each in enumerate(found):
        if len(each) == len(_KINDS):
            reason = f"component {i + 1} has a displacement there, so its traction is null"
            raise ConfigError(f"{key}.{NEUMANN}", brief(data[NEUMANN]), reason)
        if not each:
            raise ConfigError(key, brief(data), f"nothing is said of component {i + 1}: {allowed}")
    return found


def _check_held(given: Any, every: tuple[tuple[Condition, ...], ...]) -> None:
    """Raises `ConfigError` where a rigid motion is left open."""
    import numpy as np

    from hpms.fem.elastic.rigid import rigid
    from hpms.fem.faces import faces

    dim = len(every)
    corners = np.array(list(product((0.0, 1.0), repeat=dim)))
    modes = rigid(corners)
    rows = [
        modes[corners[:, axis] == end, i]
        for i, conditions in enumerate(every)
        for (axis, end), each in zip(faces(dim), conditions, strict=True)
        if each.kind == DIRICHLET
    ]
    if not rows or np.linalg.matrix_rank(np.concatenate(rows)) < modes.shape[2]:
        example = f"left:{{dirichlet:[{','.join('0' * dim)}]}}"
        reason = f"the body may move as a whole: give displacements that hold it, such as {example}"
        raise ConfigError(KEY, brief(given), reason)
