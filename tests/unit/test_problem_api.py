"""`hpms.Problem` and `hpms.solve`: a problem of functions, formulas, numbers and options."""

import logging
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms.config.stated import stated
from hpms.errors import UserError
from hpms.problem.smoothness import warn_of_roughness

FEW = ("training.iterations=4", "training.log_every=2", "collocation.interior_points=40", "reference.baseline_h=0.1")
TINY = (*FEW, "network.width=4", "network.slow_width=4", "network.rank=1", "runtime.block=40", "coarse.h=0.1")
ROD = {"left": hpms.Dirichlet(0), "right": hpms.Neumann(1)}


def waves(x):
    return 2 + jnp.sin(2 * jnp.pi * x[0] / 0.5)


def rising(x):
    return 1 + x[0]


def rod(**given):
    defaults = {"domain": hpms.Box(2), "eps": 0.5, "coefficient": waves, "source": rising, "conditions": ROD}
    return hpms.Problem(**(defaults | given))


def plate(**given):
    return rod(domain=hpms.Box(2, 1), conditions={"all": hpms.Dirichlet(0)}, **given)


def test_a_problem_states_its_equation():
    conditions = {
        "left": hpms.Robin(2, "x2"),
        "top": hpms.Periodic(),
        "bottom": hpms.Periodic(),
        "all": hpms.Neumann(0),
    }
    posed = hpms.Problem(domain=hpms.Box(2, 1), eps=0.05, coefficient=waves, source=1, conditions=conditions)
    assert repr(posed).splitlines() == [
        "Problem: -∇·(K∇w) = q in (0,2)×(0,1), eps = 0.05",
        f"  K: {__name__}:waves",
        "  q: 1",
        "  left: K∇w·n + (2) w = x2",
        "  top: periodic",
        "  bottom: periodic",
        "  all: K∇w·n = 0",
    ]


def test_a_configuration_states_its_problem():
    conditions = {"left": hpms.Robin(2, "x2"), "right": hpms.Dirichlet(rising), "all": hpms.Periodic()}
    posed = rod(domain=hpms.Box(2, 1), source="constant", conditions=conditions, reaction="x1")
    assert stated(hpms.configure("+method=fast", problem=posed)) == (
        f"-∇·(K∇w) + (x1) w = q in (0,2)×(0,1), eps = 0.5, K = {__name__}:waves, q = 1\n"
        f"K∇w·n + (2.0) w = x2 at left; w = {__name__}:rising at right; periodic at bottom, top; "
        "the network is v = w - ℓ, ℓ with the given values"
    )
    assert stated(hpms.configure("+experiment=osc2d_fast", "coefficient=layered", "upscaling=tensor")).endswith(
        "K = layered (low=1.0, high=5.0, axis=1, smoothing=0.1), q = 10*exp(-100*((x1 - 0.5)**2 + (x2 - 0.5)**2))\n"
        "w_i = x_i on the boundary; the network is u_i = w_i - x_i"
    )


def test_functions_and_formulas_are_the_same_problem():
    there = jnp.asarray(np.random.default_rng(0).random((20, 2)) * [2, 1])
    corner = {"left": hpms.Dirichlet(lambda x: x[1]), "right": hpms.Robin(lambda x: 1 + x[1], lambda x: jnp.sin(x[1]))}
    formulas = {"left": hpms.Dirichlet("x2"), "right": hpms.Robin("1+x2", "sin(x2)")}
    of_functions = rod(domain=hpms.Box(2, 1), conditions=corner | {"all": hpms.Neumann(0)})
    of_formulas = rod(
        domain=hpms.Box(2, 1),
        coefficient="2+sin(2*pi*x1/eps)",
        source="1+x1",
        conditions=formulas | {"all": hpms.Neumann(0.0)},
    )
    media, data = [], []
    for posed in (of_functions, of_formulas):
        problem = hpms.build(hpms.configure("+method=fast", *TINY, problem=posed)).problem
        edge = there.at[:, 0].set(2.0)
        media.append(problem.medium(there))
        data.append(problem.flux_data(edge))
    for first, second in zip(jax.tree.leaves((media[0], data[0])), jax.tree.leaves((media[1], data[1])), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (3, {"name": "expression", "formula": "3.0"}),
        (np.float32(0.5), {"name": "expression", "formula": "0.5"}),
        ("x1+2", {"name": "expression", "formula": "x1+2"}),
        ("layered", {"name": "layered", "low": 1.0, "high": 5.0}),
        ({"name": "layered", "high": 2}, {"name": "layered", "low": 1.0, "high": 2.0}),
    ],
)
def test_a_coefficient_may_be_a_number_a_formula_or_an_option(given, values):
    config = hpms.configure("+method=fast", problem=plate(coefficient=given))
    assert config.plain()["coefficient"].items() >= values.items()
    assert config.plain()["problem"]["sides"] == [2.0, 1.0] and config.names["upscaling"] == "none"


def test_an_array_is_kept_as_a_file_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    values = 1 + np.random.default_rng(0).random((4, 8))
    posed = [plate(coefficient=values * c) for c in (1, 1, 2)]
    found = [hpms.configure("+method=fast", problem=each).plain()["coefficient"] for each in posed]
    assert found[0] == found[1] != found[2] and len(list(tmp_path.rglob("*.npy"))) == 2
    np.testing.assert_array_equal(np.load(found[0]["path"]), values)


def test_periods_are_told_to_the_network():
    config = hpms.configure("+method=fast", problem=plate(periods=["eps", 1]))
    assert config.coefficient.lengths(2, 0.5) == (0.5, 1.0)


def test_linear_conditions_on_the_unit_cube_are_the_papers():
    posed = rod(domain=hpms.Box(1, 1), eps=0.1, conditions="linear", coefficient="waves")
    assert hpms.configure("+method=small", problem=posed).names["upscaling"] == "isotropic"


def stepping(x):
    return 2.0 if x[0] > 0.5 else 1.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"coefficient": lambda x: 2 + np.sin(x[0])},
            "coefficient, the function tests.unit.test_problem_api:<lambda>, c",
        ),
        (
            {"coefficient": lambda x: 2 + math.sin(x[0])},
            "it takes one point x of shape (1,) and computes with jax.numpy",
        ),
        ({"source": stepping}, "jnp.where stands for an if (TracerBoolConversionError"),
        ({"source": lambda: 1}, "source, the function"),
        ({"coefficient": lambda x: 2 + x}, "has the value of shape (1,) at a point of shape (1,): give a number"),
        ({"source": np.ones((4, 4))}, "source is an array of shape (4, 4)"),
        ({"source": [1, 2]}, "source: [1, 2] is not a number, a formula or a function"),
        ({"coefficient": {"low": 1}}, "an option has a name"),
        ({"domain": (2, 1)}, "give a box, such as hpms.Box(2, 1)"),
        ({"eps": 0}, "eps=0 is not allowed"),
        ({"periods": 0.25}, "periods=0.25 is not allowed: give one length for each axis, [eps], or None."),
        ({"periods": "eps"}, "periods=eps is not allowed"),
        ({"conditions": {"lft": hpms.Dirichlet(0), "all": hpms.Neumann(0)}}, "Did you mean 'left'?"),
        ({"conditions": {"left": [hpms.Dirichlet(0), hpms.Neumann(1)]}}, "left has 2 conditions: give one"),
        ({"conditions": {"left": hpms.Dirichlet(0)}}, "nothing is said of right"),
        ({"conditions": {"left": 0, "right": hpms.Neumann(0)}}, "left has 0: give hpms.Dirichlet(g)"),
        ({"conditions": {"all": hpms.Dirichlet(lambda x: x)}}, "problem.conditions.all, the function"),
        ({"conditions": {"all": hpms.Dirichlet("x1+y")}}, "problem.conditions.all.dirichlet"),
        ({"conditions": None}, "give a condition for each part"),
        ({"domain": [(0, 0), (1, 0), (0, 1)]}, "or hpms.Polygon([(0, 0), (2, 0), (0, 1)])"),
    ],
)
def test_what_is_no_problem_is_one_sentence(given, message):
    with pytest.raises(UserError) as refused:
        rod(**given)
    assert message in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("method", "overrides", "message"),
    [
        ("nonsense", (), "method=nonsense is not an option: choose fast or paper or small."),
        ("fast", ("training.iteration=3",), "Did you mean 'iterations'?"),
        ("fast", ("problem.eps=3",), "problem.eps=3 is not allowed beside a problem"),
        ("fast", ("+experiment=osc2d",), "+experiment=osc2d is not allowed beside a problem"),
        ("fast", ("law.reaction=1",), "law.reaction=1 is not allowed beside a problem"),
        ("paper", (), "take +method=fast"),
    ],
)
def test_what_is_no_method_is_one_sentence(method, overrides, message):
    with pytest.raises(UserError) as refused:
        hpms.solve(rod(), method, *overrides)
    assert message in str(refused.value)


@pytest.mark.parametrize("side", [0, -1, "x", math.nan])
def test_sides_are_lengths(side):
    with pytest.raises(UserError, match="not a number greater than 0"):
        hpms.Box(side, 1)


def test_a_coefficient_has_to_be_positive():
    with pytest.raises(UserError, match="must be positive"):
        hpms.solve(rod(coefficient=lambda x: x[0] - 1), "fast", *TINY)


def test_whole_numbers_are_numbers():
    posed = plate(coefficient=lambda x: jnp.where(x[0] > 1, 1, 1) * jnp.float32(2), source=lambda x: 1)
    problem = hpms.build(hpms.configure("+method=fast", *TINY, problem=posed)).problem
    medium = problem.medium(jnp.ones((3, 2)))
    assert medium.coefficient.dtype == jnp.float64 and medium.coefficient.tolist() == [2.0] * 3


def test_a_function_that_jumps_is_warned_of(caplog):
    posed = rod(coefficient=lambda x: jnp.where(x[0] > 0.7, 2.0, 1.0))
    built = hpms.build(hpms.configure("+method=fast", *TINY, problem=posed))
    with caplog.at_level(logging.WARNING):
        warn_of_roughness(built.problem.coefficient, (2.0,), False)
    assert "the coefficient jumps near (0.7)" in caplog.text


STEEP = "exp(20*sin(2*pi*x1/eps)*sin(2*pi*x2/eps))"  # a contrast of 2e17


@pytest.mark.parametrize(
    ("coefficient", "jumps"),
    [
        (STEEP, False),
        (f"where(x1<0.7,1,1.01)*{STEEP}", True),
        ("1e-6+sin(2*pi*x1/eps)**2+where(x1<0.3,0,1)", True),  # steeper at the zeros of the sine, in relative terms
        ({"name": "tensor", "entries": "{k11:where(x1<0.7,1,2),k22:1e4}"}, True),
    ],
)
def test_a_jump_is_told_from_what_is_steep(coefficient, jumps, caplog):
    config = hpms.configure("+method=fast", *TINY, problem=plate(coefficient=coefficient, eps=0.05))
    warn_of_roughness(config.coefficient.over((2.0, 1.0), 0.05), (2.0, 1.0), False)
    assert ("the coefficient jumps" in caplog.text) == jumps
