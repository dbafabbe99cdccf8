"""The problem of a configuration, as a reader writes it."""

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from hpms.config.config import Config
from hpms.errors import brief
from hpms.options.conditions import DIRICHLET, PERIODIC, Condition


def stated(config: Config) -> str:
    """Equation, domain, K, q and conditions, and what the network is, in two lines."""
    problem, law = config.problem, cast(Any, config.law)
    equation = "-∇·(K∇w) = q"
    if config.names["law"] != "diffusion":
        equation = f"A w = q, A by law={config.names['law']}{_keys(dataclasses.asdict(law))},"
    elif (reaction := getattr(law, "reaction", None)) is not None:
        equation = f"-∇·(K∇w) + ({_field(reaction)}) w = q"
    every = problem.conditions_by_part()
    where = _conditions(every) if every else _linear(config)
    u = "v = w - ℓ, ℓ with the given values" if every else _lifted(config)
    return (
        f"{equation} in {problem.described()}, eps = {problem.eps:g}, K = {_group(config, 'coefficient')}, "
        f"q = {_group(config, 'source')}\n{where}; the network is {u}"
    )


def _linear(config: Config) -> str:
    return "w = x1 on the boundary" if _lifts(config) == 1 else "w_i = x_i on the boundary"


def _lifted(config: Config) -> str:
    return "u = w - x1" if _lifts(config) == 1 else "u_i = w_i - x_i"


def _lifts(config: Config) -> int:
    return config.upscaling.lifts(config.problem.dim)


def _group(config: Config, group: str) -> str:
    """A formula with its constants, a function's name, or an option with its keys."""
    options = dataclasses.asdict(getattr(config, group))
    if "function" in options:
        return _field(options["function"])
    if config.names[group] != "expression":
        return f"{config.names[group]}{_keys(options)}"
    if options["formula"] in options["constants"]:
        return f"{options['constants'][options['formula']]:g}"
    constants = ", ".join(f"{name} = {value:g}" for name, value in options["constants"].items())
    return brief(options["formula"]) + (f" with {constants}" if constants else "")


def _keys(options: Mapping[str, Any]) -> str:
    pairs = ", ".join(f"{key}={value}" for key, value in options.items() if value not in (None, {}, ()))
    return f" ({brief(pairs)})" if pairs else ""


def _conditions(every: Mapping[str, Condition]) -> str:
    """Each condition with the parts of the boundary that have it."""
    parts: dict[str, list[str]] = {}
    for part, each in every.items():
        parts.setdefault(_condition(each), []).append(part)
    return "; ".join(f"{said} at {', '.join(where)}" for said, where in parts.items())


def _condition(each: Condition) -> str:
    if each.kind == PERIODIC:
        return "periodic"
    if each.kind == DIRICHLET:
        return f"w = {_field(each.value)}"
    rate = "" if each.rate == "0" else f" + ({_field(each.rate)}) w"
    return f"K∇w·n{rate} = {_field(each.value)}"


def _field(text: str) -> str:
    """A number or formula, or the name of a function of Python."""
    return brief(text.partition("#")[0])
