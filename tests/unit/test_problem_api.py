"""`hpms.Problem` and `hpms.solve`: a problem of functions, formulas, numbers and options."""

import logging
import math
import sys
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms import named
from hpms.commands import list as list_runs
from hpms.commands import report, table
from hpms.config.registry import load_plugins
from hpms.config.stated import stated
from hpms.errors import UserError
from hpms.problem.point_function import PointFunction
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


L_SHAPE = [(0, 0), (1, 0), (1, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)]
SHELL = (
    "problem=polygon",
    "problem.vertices=[[0,0],[1,0],[1,0.5],[0.5,0.5],[0.5,1],[0,1]]",
    "problem.holes=[{circle:[0.25,0.25,0.1]}]",
    "problem.parts={inlet:x1<1e-9}",
    "problem.eps=0.2",
    "problem.conditions={inlet:{dirichlet:0},edge2:{robin:[1,x2]},all:{neumann:0}}",
    "coefficient=expression",
    "coefficient.formula=2+x1",
    "source=constant",
)


def polygon(**given):
    holes, parts = [hpms.Circle((0.25, 0.25), 0.1)], {"inlet": "x1<1e-9"}
    conditions = {"inlet": hpms.Dirichlet(0), "edge2": hpms.Robin(1, "x2"), "all": hpms.Neumann(0)}
    rest = {"eps": 0.2, "coefficient": "2+x1", "source": "constant", "conditions": conditions}
    return rod(**({"domain": hpms.Polygon(L_SHAPE, holes, parts)} | rest | given))


def test_a_polygon_states_its_equation():
    assert repr(polygon()).splitlines() == [
        "Problem: -∇·(K∇w) = q in a polygon with 6 vertices and 1 hole, eps = 0.2",
        "  K: 2+x1",
        "  q: constant",
        "  inlet: w = 0",
        "  edge2: K∇w·n + (1) w = x2",
        "  all: K∇w·n = 0",
    ]
    assert repr(polygon().domain).startswith("Polygon([(0, 0), (1, 0), (1, 0.5)")


def test_a_polygon_is_the_same_by_the_shell_and_by_python():
    shell = hpms.configure("+method=fast", *SHELL)
    assert hpms.configure("+method=fast", problem=polygon()).identity() == shell.identity()
    typed = (
        "problem.holes=[{circle:[1/4,0.25,1e-1]}]",
        "problem.vertices=[[0,0],[1.0,0],[1,1/2],[.5,.5],[0.5,1],[0,1]]",
    )
    other = hpms.configure(
        "+method=fast", *(each for each in SHELL if each[:14] not in {t[:14] for t in typed}), *typed
    )
    assert other.problem.polygon == shell.problem.polygon
    array = hpms.Polygon(np.array(L_SHAPE), [hpms.Circle(np.array([0.25, 0.25]), 0.1, 32)], {"inlet": "x1<1e-9"})
    assert hpms.configure("+method=fast", problem=polygon(domain=array)).identity() == shell.identity()
    without = hpms.configure("+method=fast", "problem.singular=false", problem=polygon())
    assert without.identity() != shell.identity() and not without.problem.corners


def test_functions_on_a_polygon_are_told_apart_on_all_of_it():
    """Where x1 is negative, too."""
    around = hpms.Polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    found = []
    for data in (lambda x: x[0], lambda x: jnp.abs(x[0])):
        posed = polygon(domain=around, conditions={"edge1": hpms.Neumann(0), "all": hpms.Dirichlet(data)})
        config = hpms.configure("+method=fast", problem=posed)
        found.append(config.problem.conditions["all"]["dirichlet"])
    assert found[0] != found[1]


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
        ({"domain": L_SHAPE}, "or hpms.Polygon([(0, 0), (2, 0), (0, 1)])"),
    ],
)
def test_what_is_no_problem_is_one_sentence(given, message):
    with pytest.raises(UserError) as refused:
        rod(**given)
    assert message in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"eps": 5}, "problem.eps=5 is not allowed: the polygon is nowhere as wide as that"),
        ({"conditions": {"egde1": hpms.Dirichlet(0), "all": hpms.Neumann(0)}}, "Did you mean 'edge1'?"),
        ({"conditions": {"edge1": hpms.Dirichlet(0)}}, "nothing is said of edge2"),
        ({"conditions": {"all": hpms.Periodic()}}, "only opposite faces of problem=box are periodic"),
        ({"conditions": {"left": hpms.Dirichlet(0)}}, "problem.conditions.left"),
    ],
)
def test_what_is_no_problem_on_a_polygon_is_one_sentence(given, message):
    with pytest.raises(UserError) as refused:
        polygon(**given)
    assert message in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: hpms.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "crosses or touches itself at (0.5, 0.5)"),
        (lambda: hpms.Polygon([(0, 0), (1, "a"), (1, 0)]), "the vertex (1, 'a') of a Polygon is not a pair of numbers"),
        (lambda: hpms.Polygon([(0, 0), (1, math.nan), (1, 0)]), "is not a pair of numbers, such as (0.5, 1)"),
        (lambda: hpms.Polygon([(0, 0), (1, 0)]), "give three points or more"),
        (lambda: hpms.Polygon(3), "3 is no polygon"),
        (lambda: hpms.Polygon(L_SHAPE, hpms.Circle((0.2, 0.2), 0.1)), "give a list of polygons and hpms.Circle"),
        (lambda: hpms.Polygon(L_SHAPE, [hpms.Circle((3, 0), 0.1)]), "hole1 lies outside the outer polygon"),
        (lambda: hpms.Polygon(L_SHAPE, [[(0.1, 0.1), (0.2, 0.1)]]), "give three points or more"),
        (lambda: hpms.Polygon(L_SHAPE, parts="x1>0"), "parts=x1>0 is not allowed: give names and formulas"),
        (lambda: hpms.Circle((0, 0), 0), "the radius 0 of a Circle is not a number greater than 0"),
        (lambda: hpms.Circle((0, 0), 1, 2.5), "their number is a whole one"),
        (lambda: hpms.Circle(0, 1), "the centre 0 of a Circle is not a pair of numbers"),
        (lambda: hpms.Polygon(L_SHAPE, [hpms.Circle((0.25, 0.25), 0.1, 2)]), "its vertices are 3 to"),
    ],
)
def test_what_is_no_polygon_is_one_sentence(given, message):
    with pytest.raises(UserError) as refused:
        given()
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


def test_a_function_whose_constants_change_is_another_one():
    constants = SimpleNamespace(high=2.0)
    posed = rod(coefficient=lambda x: constants.high + x[0])
    at = jnp.zeros((1, 1))
    found = []
    for constants.high in (2.0, 3.0):
        config = hpms.configure("+method=fast", *TINY, problem=posed)
        found.append((config.identity(), float(hpms.build(config).problem.medium(at).coefficient[0])))
    assert [value for _, value in found] == [2.0, 3.0] and found[0][0] != found[1][0]


def test_functions_that_differ_by_less_than_their_digest_are_compiled_apart():
    """Whatever digest they have: a caller may take differences of what comes of them."""
    first, second = (PointFunction("m:f#0123456789ab", "source", lambda x, c=c: c * x[0]) for c in (1.0, 1.0 + 1e-9))
    assert first == PointFunction(first.text, "source", first.call) != second
    value = jax.jit(lambda function, x: function(x), static_argnums=0)
    assert [float(value(each, jnp.ones(1))) for each in (first, second)] == [1.0, 1.0 + 1e-9]


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    place = tmp_path_factory.mktemp("solved") / "run"
    return place, hpms.solve(rod(), "fast", *TINY, "reference.cache=" + str(place.parent / "cache"), run_dir=place)


def test_a_run_of_functions_is_found_again(solved, monkeypatch):
    place, first = solved
    assert first.status == "finished" and first.config.plain()["source"]["function"].startswith(f"{__name__}:rising#")
    assert np.isfinite(first.errors["relative_l2"]) and first.flux(np.array([[2.0]])).shape == (1, 1)
    before = (place / "run.h5").read_bytes()
    again = hpms.solve(rod(), "fast", *TINY, run_dir=place)
    np.testing.assert_array_equal(again.theta, first.theta)
    assert (place / "run.h5").read_bytes() == before
    np.testing.assert_array_equal(hpms.load(place).theta, first.theta)
    monkeypatch.setattr(named, "_known", {})
    with pytest.raises(UserError, match=r"test_problem_api:waves, which is not at hand: give its problem"):
        hpms.load(place)
    with pytest.raises(UserError, match="not at hand"):
        hpms.load(place, problem=rod(coefficient=lambda x: 2 + x[0]))
    np.testing.assert_array_equal(hpms.load(place, problem=rod()).theta, first.theta)
    with pytest.raises(UserError, match="belongs to another configuration: source"):
        hpms.solve(rod(source=lambda x: x[0]), "fast", *TINY, run_dir=place)


def test_what_reads_runs_needs_no_functions(solved, monkeypatch, capsys):
    place, _ = solved
    monkeypatch.setattr(named, "_known", {})
    assert list_runs.main([str(place)]) == table.main([str(place)]) == report.main([str(place)]) == 0
    assert "two_scale" in capsys.readouterr().out


def test_a_module_is_asked_only_if_the_user_names_it(tmp_path, monkeypatch):
    (tmp_path / "my_medium.py").write_text("def K(x):\n    return 2 + x[0]\n")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("my_medium")
    with pytest.raises(UserError, match=r"not at hand: .*plugins=\[my_medium\]"):
        named.recall("my_medium:K#0123456789ab", "coefficient")
    load_plugins(["my_medium"])
    assert named.recall("my_medium:K#0123456789ab", "coefficient") is sys.modules["my_medium"].K
    with pytest.raises(UserError, match="not at hand"):
        named.recall("os:abort#0123456789ab", "coefficient")
