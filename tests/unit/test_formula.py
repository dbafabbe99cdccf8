import math
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.errors import UserError
from hpms.formula import FUNCTIONS, SCALAR, Formula, FormulaError, field_formula, number
from hpms.problem.functions import JAX, evaluate_field

MALICIOUS = [
    "__import__('os').system('x')",
    "().__class__.__bases__[0].__subclasses__()",
    "x1.__class__",
    "x1.real",
    "x1[0]",
    "lambda: 1",
    "(lambda x: x)(1)",
    "[x for x in (1, 2)]",
    "(x1 := 3)",
    "f'{x1}'",
    "'a' * 10",
    "1j",
    "True",
    "sin(*(1, 2))",
    "sin(x=1)",
    "open('x')",
    "x1 if x1 else 2",
    "x1 and 2",
    "1 // 2",
    "2 ^ 3",
    "1 < 2 < 3",
    "1 == 1",
    "sin",
    "sin(1, 2)",
    "where(1, 2)",
    "",
    "1 +",
    "1; 2",
    "\x00",
    "x1\nx1",
    "1" * 2001,
    "-" * 1999 + "1",
    "(" * 999 + "1" + ")" * 999,
    "sin(" * 400 + "1" + ")" * 400,
]
WITHOUT_VALUE = [
    "9**9**9**9",
    "10**400",
    "1/0",
    "1 % 0",
    "(-1)**0.5",
    "floor(9e7)**floor(9e6)",
    "floor(1e300)**floor(1e300)",
    "((1<2)+(1<2))**((1<2)+(1<2))**((1<2)+(1<2))**((1<2)+(1<2))**((1<2)+(1<2))**99",
    "1" * 1999,
    "2**" * 600 + "2",
]


def quickly(call):
    start = time.perf_counter()
    with pytest.raises(FormulaError):
        call()
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("text", MALICIOUS, ids=lambda text: repr(text[:30]))
def test_what_is_not_a_formula_is_refused_when_parsed(text):
    quickly(lambda: Formula(text, ["x1"]))


@pytest.mark.parametrize("text", WITHOUT_VALUE, ids=lambda text: text[:30])
def test_a_formula_without_a_value_is_refused(text):
    quickly(lambda: number(text))


@pytest.mark.parametrize("name", ["x", "y", "z"])
def test_the_names_of_coordinates_are_told(name):
    with pytest.raises(FormulaError, match=rf"'{name}' in .* is unknown; .*\. The coordinates are x1, x2\.$"):
        Formula(f"2+sin({name})", ["x1", "x2", "eps"])


@pytest.mark.parametrize("text", ["sqrt(-1)", "log(0)", "1e999", "exp(1000)", "1e308*10", "floor(1e999)"])
def test_a_number_is_finite(text):
    quickly(lambda: number(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/15", 1 / 15),
        (" -2*eps ", -0.2),
        ("2**-1", 0.5),
        ("-2**2", -4),
        ("7 % 4", 3),
        ("1e-3", 1e-3),
        ("where(eps < 0.03, 5000, 2000)", 2000),
        ("where(eps >= 0.1, 1, 2)", 1),
        ("(1 < 2) + (2 <= 2) + (1 > 2)", 2),
        ("floor(2.7) + sign(-3) + sign(0) + abs(-2) + mod(-1, 3)", 5),
        ("min(1, 2) + max(1, 2) + atan2(1, 1)*4/pi", 4),
        ("log(e)", 1),
    ],
)
def test_a_number(text, value):
    assert number(text, eps=0.1) == pytest.approx(value, rel=1e-15)


def test_errors_say_what_is_meant():
    with pytest.raises(FormulaError, match="write \\*\\* instead"):
        Formula("x1^2", ["x1"])
    with pytest.raises(FormulaError, match="Did you mean 'eps'"):
        Formula("epss", ["eps"])
    with pytest.raises(FormulaError, match="Did you mean 'sin'"):
        Formula("sine(1)", [])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jax_and_python_functions_agree(name):
    arguments = (0.3, 0.7, -0.2)[: FUNCTIONS[name]]
    assert float(JAX[name](*arguments)) == pytest.approx(SCALAR[name](*arguments), rel=1e-14)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + sin(2*pi*x1/eps)*x2**2", lambda x, y: 2 + math.sin(2 * math.pi * x / 0.1) * y**2),
        ("where(x1 < x2, x1, k)", lambda x, y: x if x < y else 7.0),
        ("1 + (x1 < x2)", lambda x, y: 1.0 + (x < y)),
        ("3", lambda x, y: 3.0),
        ("max(x1, x2) + functions + self", lambda x, y: max(x, y) + 3),
    ],
)
def test_a_field_is_its_formula_at_every_point(text, value):
    constants = {"k": 7.0, "functions": 1.0, "self": 2.0}
    formula = field_formula(text, 2, constants, "coefficient.formula")
    points = jax.random.uniform(jax.random.key(0), (9, 2))
    with jax.numpy_dtype_promotion("strict"):
        values = jax.vmap(lambda x: evaluate_field(formula, x, 0.1, constants))(points)
    assert values.dtype == jnp.float64
    np.testing.assert_allclose(values, [value(*map(float, x)) for x in points], rtol=1e-13)


@pytest.mark.parametrize("text", ["1/0", "9**9**9**9", "(-1)**0.5*x1"])
def test_a_field_without_a_value_is_a_user_error(text):
    formula = field_formula(text, 1, {}, "coefficient.formula")
    with pytest.raises(UserError, match="has no value"):
        evaluate_field(formula, jnp.ones(1), 0.1, {})


def test_a_bad_field_names_its_key():
    with pytest.raises(UserError, match=r"source\.formula: .*x2.*source=expression"):
        field_formula("x2", 1, {}, "source.formula")
    with pytest.raises(UserError, match="cannot be called 'eps'"):
        field_formula("x1", 1, {"eps": 1.0}, "source.formula")
