"""Arithmetic formulas from the configuration, parsed against a whitelist and never handed to `eval`."""

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hpms.errors import UserError, suggestion


def _power(base: Any, exponent: Any) -> Any:
    power = base**exponent
    if isinstance(power, complex):
        raise ValueError("a root of a negative number is not real")
    return power


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
    ast.Mod: operator.mod,
}
_UNARY: dict[type, Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, int] = {
    **dict.fromkeys(("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"), 1),
    **dict.fromkeys(("exp", "log", "sqrt", "abs", "sign", "floor"), 1),
    **dict.fromkeys(("min", "max", "mod", "atan2"), 2),
    "where": 3,
}
_ROUGH = {"abs", "sign", "floor", "min", "max", "mod", "where"}
_AXES = ("x", "y", "z", "X", "Y", "Z")  # as others call them
_MAX_LENGTH = 2000

SCALAR: dict[str, Callable[..., Any]] = {
    **{name: getattr(math, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "atan2")},
    "abs": abs,
    "floor": lambda a: float(math.floor(a)),
    "sign": lambda a: math.copysign(1.0, a) if a else 0.0,
    "min": min,
    "max": max,
    "mod": operator.mod,
    "where": lambda condition, a, b: a if condition else b,
}


class FormulaError(ValueError):
    """The text is not a formula over the allowed names; the message says what is wrong and what is allowed."""


class Formula:
    """A parsed formula such as `2 + sin(2*pi*x1/eps)`.

    `+ - * / ** %`, comparisons (for `where(condition, a, b)`; their value is 1 or 0), numbers, `pi`, `e`, the functions
    of `FUNCTIONS` and the given variables are allowed; everything else is a `FormulaError`, raised here and not when it
    is evaluated. Every value is a float, never one of Python's unbounded integers, whose powers may take for ever.
    """

    def __init__(self, text: str, variables: Iterable[str]):
        self.text = text
        self.variables = frozenset(variables)
        if len(text) > _MAX_LENGTH:
            raise FormulaError(f"a formula may have at most {_MAX_LENGTH} characters, this one has {len(text)}")
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
            self._check(self._tree)
        except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
            if isinstance(error, FormulaError):
                raise
            raise FormulaError(f"'{text}' is not a formula; write for example 2 + sin(2*pi*x1/eps)") from None

    def __call__(self, functions: Mapping[str, Callable[..., Any]], /, **variables: Any) -> Any:
        """The value, with `functions` for the names of `FUNCTIONS` (`SCALAR`, or `jax.numpy`'s).

        Raises `FormulaError` where there is none, as for `1/0`.
        """
        try:
            return _evaluate(self._tree, functions, {**CONSTANTS, **variables})
        except (ArithmeticError, ValueError, TypeError, RecursionError) as error:
            raise FormulaError(f"'{self.text}' has no value: {error}") from None

    def kinks(self, names: Iterable[str]) -> list[str]:
        """The functions and comparisons of these variables at which the formula may jump or have a kink."""
        wanted, found = set(names), dict[str, None]()
        for node in ast.walk(self._tree):
            if wanted.isdisjoint(inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)):
                continue
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ROUGH:
                found[node.func.id] = None
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
                found["%"] = None
            elif isinstance(node, ast.Compare):
                found["a comparison"] = None
        return [name for name in found if name != "a comparison" or "where" not in found]

    def _check(self, node: ast.AST) -> None:
        match node:
            case ast.Constant(value=value) if type(value) in (int, float):
                return
            case ast.Name(id=name):
                if name not in self.variables and name not in CONSTANTS:
                    known = [*sorted(self.variables), *CONSTANTS]
                    hint = suggestion(name, [*known, *FUNCTIONS])
                    if name in _AXES and (axes := [each for each in known if re.fullmatch(r"x\d", each)]):
                        hint = f" The coordinates are {', '.join(axes)}."
                    raise FormulaError(f"'{name}' in '{self.text}' is unknown; the names are {', '.join(known)}.{hint}")
            case ast.BinOp(op=ast.BitXor()):
                raise FormulaError(f"'^' in '{self.text}' is not a power; write ** instead")
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                self._check(left)
                self._check(right)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                self._check(operand)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                self._check(left)
                self._check(right)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                if name not in FUNCTIONS:
                    raise FormulaError(
                        f"'{name}' in '{self.text}' is not a function here; the functions are "
                        f"{', '.join(FUNCTIONS)}.{suggestion(name, FUNCTIONS)}"
                    )
                if len(args) != FUNCTIONS[name]:
                    raise FormulaError(f"{name} in '{self.text}' takes {FUNCTIONS[name]} argument(s), not {len(args)}")
                for arg in args:
                    self._check(arg)
            case _:
                source = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
                raise FormulaError(
                    f"'{source[:60]}' in '{self.text[:60]}' is not allowed; a formula has numbers, names, + - * / ** % "
                    f"and functions such as sin or exp"
                )


def _evaluate(node: ast.AST, functions: Mapping[str, Callable[..., Any]], names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return float(value)  # type: ignore[arg-type]
        case ast.Name(id=name):
            return names[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_evaluate(left, functions, names), _evaluate(right, functions, names))
        case ast.UnaryOp(op=op, operand=operand):
            return _UNARY[type(op)](_evaluate(operand, functions, names))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            holds = _COMPARE[type(op)](_evaluate(left, functions, names), _evaluate(right, functions, names))
            return functions["where"](holds, 1.0, 0.0)
        case ast.Call(func=ast.Name(id=name), args=args):
            return functions[name](*(_evaluate(arg, functions, names) for arg in args))
    raise AssertionError("a checked formula has no other nodes")


def number(text: str, /, **variables: float) -> float:
    """The number that an arithmetic formula such as `1/15` or `2*eps` stands for.

    Raises `FormulaError` where it is not a formula or not a finite number.
    """
    value = float(Formula(text, variables)(SCALAR, **variables))
    if not math.isfinite(value):
        raise FormulaError(f"'{text}' is not a finite number")
    return value


def field_formula(text: str, dim: int, constants: Mapping[str, float], key: str) -> Formula:
    """A formula over x1..x_d, eps and `constants`; a `UserError` that names `key` where it is not one."""
    names = [f"x{i + 1}" for i in range(dim)]
    for name in constants:
        if name in {"x1", "x2", "x3", "eps", *CONSTANTS, *FUNCTIONS}:
            raise UserError(f"{key}: a constant cannot be called '{name}', that name has a meaning already.")
    try:
        return Formula(text, [*names, "eps", *constants])
    except FormulaError as error:
        group = key.split(".")[0]
        example = f"{group}=expression {key}='2+a*sin(2*pi*x1/eps)' {group}.constants.a=1"
        advice = f"dim={dim}; type it as {example}" if key.endswith(".formula") else f"dim={dim}"
        raise UserError(f"{key}: {error} ({advice}).") from None
