"""The problem of a configuration, as a reader writes it."""

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from hpms.config.config import Config
from hpms.errors import brief
from hpms.options.conditions import DIRICHLET, NEUMANN, PERIODIC, Condition


def stated(config: Config) -> str:
    """Equation, domain, K, q and conditions, and what the network is, in two lines."""
    problem, law = config.problem, cast(Any, config.law)
    equation = "-∇·(K∇w) = q"
    if law.takes_moduli:
        equation = "-div σ(w) = q, σ = λ tr(e) I + 2μ e, e = (∇w + ∇wᵀ)/2,"
    elif config.names["law"] == "semilinear":
        equation = f"-∇·(K∇w) + s = q, s = {brief(law.formula)},"
    elif config.names["law"] != "diffusion":
        equation = f"A w = q, A by law={config.names['law']}{_keys(dataclasses.asdict(law))},"
    elif (reaction := getattr(law, "reaction", None)) is not None:
        equation = f"-∇·(K∇w) + ({_field(reaction)}) w = q"
    every = problem.conditions_by_part()
    where = _conditions(every) if every else _linear(config)
    u = "v = w - ℓ, ℓ with the given values" if every else _lifted(config)
    return (
        f"{equation} in {problem.described()}, eps = {problem.eps:g}, {_medium(config)}, "
        f"q = {_source(config)}\n{where}; the network is {u}"
    )


def _medium(config: Config) -> str:
    found = cast(Any, config.coefficient)
    if not found.are_moduli:
        return f"K = {_group(config, 'coefficient')}"
    constants = "".join(f", {name} = {value:g}" for name, value in found.constants.items())
    return f"λ = {brief(found.lam)}, μ = {brief(found.mu)}{constants}"


def _source(config: Config) -> str:
    found = cast(Any, config.source)
    if not found.is_force:
        return _group(config, "source")
    return "0" if found.formulas is None else brief(f"({', '.join(found.formulas)})")


def _linear(config: Config) -> str:
    if config.law.takes_moduli:
        return "w_l = E_l x on the boundary, E_l the unit strains in Voigt's order and Mandel's scaling"
    return "w = x1 on the boundary" if _lifts(config) == 1 else "w_i = x_i on the boundary"


def _lifted(config: Config) -> str:
    if config.law.takes_moduli:
        return "u_l = w_l - E_l x"
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


def _conditions(every: Mapping[str, tuple[Condition, ...]]) -> str:
    """Each condition with the parts of the boundary that have it."""
    parts: dict[str, list[str]] = {}
    for part, each in every.items():
        parts.setdefault(_condition(each[0]) if len(each) == 1 else _vector(each), []).append(part)
    return "; ".join(f"{said} at {', '.join(where)}" for said, where in parts.items())


def _vector(each: tuple[Condition, ...]) -> str:
    """What is given of each component, in one equation where that is of one kind."""
    names = {DIRICHLET: "w", NEUMANN: "σn"}
    if len({one.kind for one in each}) == 1:
        return f"{names[each[0].kind]} = ({', '.join(_field(one.value) for one in each)})"
    return ", ".join(f"{names[one.kind]}_{i} = {_field(one.value)}" for i, one in enumerate(each, 1))


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
