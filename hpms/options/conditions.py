"""Boundary conditions as they are written: a kind and its data for named parts of ∂Ω."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpms.errors import ConfigError, brief, suggestion
from hpms.fem.faces import PARTS
from hpms.options.field import check_field
from hpms.options.mapping import parsed

KEY, LINEAR, ALL = "problem.conditions", "linear", "all"
_EXAMPLE = "give one condition, such as {dirichlet:0}, {robin:[1,x2]} or periodic"
_SHOWN = 12  # names of parts
DIRICHLET, NEUMANN, ROBIN, PERIODIC = "dirichlet", "neumann", "robin", "periodic"


@dataclass(frozen=True)
class Condition:
    """w = `value` on a part (dirichlet), or K∇w·n + `rate` w = `value` (robin; neumann with the rate 0), formulas or
    functions of Python (`hpms.named`); or (periodic) w and its flux are those of the opposite part.
    """

    kind: str
    value: str
    rate: str = "0"


def read_conditions(given: Any, dim: int) -> tuple[Condition, ...] | None:
    """The condition on each of the 2d parts, in their order, or None for `linear`.

    **Arguments:** what stands behind `problem.conditions`: `linear`, or a mapping of parts to a mapping of a kind to
    its data, or the text of one. Raises `ConfigError` where it is none, and `UserError` for a formula that is none.
    """
    if given == LINEAR:
        return None
    found = parsed(given, KEY) if isinstance(given, str) else given
    parts = PARTS[: 2 * dim]
    example = "write left:{dirichlet:0}, right:{neumann:1}, all:{robin:[a,g]}, or linear"
    if not isinstance(found, Mapping) or not found:
        raise ConfigError(KEY, brief(given), example)
    for part in found:
        if part not in (*parts, ALL):
            known = f"the parts are {', '.join(parts)} and {ALL}"
            raise ConfigError(f"{KEY}.{brief(part)}", found[part], known, suggestion(str(part), [*parts, ALL]))
    conditions = {part: _condition(f"{KEY}.{part}", data, dim) for part, data in found.items()}
    if missing := [part for part in parts if part not in conditions and ALL not in conditions]:
        raise ConfigError(
            KEY, brief(given), f"nothing is said of {missing[0]}: give it a condition, or all the rest one"
        )
    every = tuple(conditions.get(part) or conditions[ALL] for part in parts)
    for axis in range(dim):
        if [each.kind for each in every[2 * axis : 2 * axis + 2]].count(PERIODIC) == 1:
            both = f"{parts[2 * axis]} and {parts[2 * axis + 1]}"
            raise ConfigError(KEY, brief(given), f"{both} are periodic together or not at all")
    return every


def read_parts(given: Any, dim: int, parts: Sequence[str]) -> dict[str, Condition]:
    """The conditions on named parts of ∂Ω, each of which is one of `parts` or `all`, the rest; for `linear` w = x₁.

    Raises `ConfigError` for others, and `UserError` for a formula that is none.
    """
    if given == LINEAR:
        return {ALL: Condition(DIRICHLET, "x1")}
    found = parsed(given, KEY) if isinstance(given, str) else given
    if not isinstance(found, Mapping) or not found:
        raise ConfigError(KEY, brief(given), f"write {parts[0]}:{{dirichlet:0}}, all:{{neumann:0}}, or linear")
    for part in found:
        if part not in (*parts, ALL):
            shown = [*parts[:_SHOWN], "..."] if len(parts) > _SHOWN else parts
            known = f"the parts are {', '.join(shown)} and {ALL}"
            raise ConfigError(f"{KEY}.{brief(part)}", found[part], known, suggestion(str(part), [*parts, ALL]))
    conditions = {str(part): _condition(f"{KEY}.{part}", data, dim) for part, data in found.items()}
    for part, each in conditions.items():
        if each.kind == PERIODIC:
            raise ConfigError(f"{KEY}.{part}", PERIODIC, "only opposite faces of problem=box are periodic")
    return conditions


def are_fluxes(conditions: tuple[Condition, ...]) -> bool:
    """Whether they leave w open by a constant."""
    return all(each.kind in (NEUMANN, PERIODIC) for each in conditions)


def _condition(key: str, data: Any, dim: int) -> Condition:
    kinds = (DIRICHLET, NEUMANN, ROBIN)
    if data == PERIODIC:
        return Condition(PERIODIC, "0")
    if not isinstance(data, Mapping) or len(data) != 1:
        raise ConfigError(key, brief(data), _EXAMPLE)
    ((kind, value),) = data.items()
    if kind not in kinds:
        raise ConfigError(f"{key}.{brief(kind)}", value, f"choose {' or '.join(kinds)}", suggestion(str(kind), kinds))
    if kind != ROBIN:
        return Condition(kind, _formula(value, dim, f"{key}.{kind}"))
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ConfigError(f"{key}.{kind}", brief(value), "give two formulas, robin:[a,g] of K∇w·n + a w = g")
    rate, given = (_formula(each, dim, f"{key}.{kind}") for each in value)
    return Condition(kind, given, rate)


def _formula(value: Any, dim: int, key: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ConfigError(key, brief(value), "it must be a number or a formula")
    check_field(str(value), dim, key)
    return str(value)
