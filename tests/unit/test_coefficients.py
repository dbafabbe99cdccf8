from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.errors import ConfigError
from hpms.options.coefficient import ExpressionOptions, LayeredOptions
from tests.problems import quick_jit

POINTS = np.random.default_rng(0).random((40, 3))


def config(dim):
    return SimpleNamespace(problem=SimpleNamespace(dim=dim))


@pytest.mark.parametrize(("dim", "axis"), [(1, 1), (2, 1), (2, 2), (3, 3)])
@pytest.mark.parametrize("smoothing", [0.1, 1.0])
def test_the_layered_gradient_is_that_of_autodiff(dim, axis, smoothing):
    coefficient, x = LayeredOptions(1.0, 5.0, axis, smoothing).build(dim, 0.1), jnp.asarray(POINTS[:, :dim])
    both = quick_jit(jax.vmap(lambda y: (coefficient.gradient(y), jax.grad(coefficient.value)(y))))
    with jax.numpy_dtype_promotion("strict"):
        gradient, expected = both(x)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("low_high", [(1.0, 5.0), (5.0, 1.0)])
def test_layers_lie_between_the_two_materials(low_high):
    coefficient = LayeredOptions(*low_high, 1, 0.01).build(1, 0.1)
    assert float(coefficient.value(jnp.array([0.025]))) == pytest.approx(low_high[1], rel=1e-12)
    assert float(coefficient.value(jnp.array([0.075]))) == pytest.approx(low_high[0], rel=1e-12)
    values = quick_jit(jax.vmap(coefficient.value))(np.linspace(0, 1, 1001)[:, None])
    assert values.min() >= 1
    assert values.max() <= 5
    harmonic = 1 / np.mean(1 / np.asarray(values[:-1]))
    assert harmonic == pytest.approx(2 * 1 * 5 / 6, rel=0.05)


def cos(x):
    return np.cos(np.pi * x)


@pytest.mark.parametrize(
    ("formula", "eps", "dim", "gradient"),
    [
        ("2 + sin(2*pi*x1/eps)", 1 / 15, 1, lambda x: [2 * np.pi * 15 * cos(2 * x[:, 0] * 15)]),
        ("2 + sin(2*pi*x1/eps)", 0.01, 1, lambda x: [2 * np.pi * 100 * cos(2 * x[:, 0] * 100)]),
        (
            "3 + sin(pi*x1/eps) + sin(2*pi*x2/eps)",
            0.1,
            2,
            lambda x: [10 * np.pi * cos(10 * x[:, 0]), 20 * np.pi * cos(20 * x[:, 1])],
        ),
        ("1 + (x1 - 0.5)**2 + abs(x2)", 0.1, 2, lambda x: [2 * (x[:, 0] - 0.5), np.ones(len(x))]),
        ("k", 0.1, 2, lambda x: [np.zeros(len(x)), np.zeros(len(x))]),
    ],
)
def test_the_gradient_of_a_formula_is_the_exact_one(formula, eps, dim, gradient):
    coefficient, x = ExpressionOptions(formula, {"k": 2.0}, None).build(dim, eps), POINTS[:, :dim]
    with jax.numpy_dtype_promotion("strict"):
        found = quick_jit(jax.vmap(coefficient.gradient))(jnp.asarray(x))
    expected = np.stack(gradient(x), axis=1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize(
    "coefficient",
    [
        ExpressionOptions("3 + sin(pi*x1/eps) + sin(2*pi*x2/eps)", {}, (0.2, 0.1)).build(2, 0.1),
        LayeredOptions(1.0, 5.0, 2, 0.1).build(2, 0.1),
    ],
)
def test_a_coefficient_repeats_after_its_periods(coefficient):
    x, values = POINTS[:, :2], quick_jit(jax.vmap(coefficient.value))
    for period in np.diag(coefficient.periods):
        np.testing.assert_allclose(values(x + period), values(x), rtol=1e-11)


def test_options_that_do_not_fit_the_dimension_are_refused():
    with pytest.raises(ConfigError, match=r"coefficient\.axis=2"):
        LayeredOptions(1.0, 5.0, 2, 0.1).check(config(1))
    with pytest.raises(ConfigError, match=r"coefficient\.periods"):
        ExpressionOptions("1", {}, (0.1,)).check(config(2))
    LayeredOptions(1.0, 5.0, 2, 0.1).check(config(2))
    ExpressionOptions("x2", {}, (0.1, 0.2)).check(config(2))
