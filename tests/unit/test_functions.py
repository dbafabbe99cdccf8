"""Functions as media and sources: problems of them are told apart, and their runs found again."""

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
from hpms.errors import UserError
from hpms.problem.point_function import PointFunction
from tests.problems import posed

TINY = ("training.iterations=4", "training.log_every=2", "collocation.interior_points=40", "reference.baseline_h=0.1")
TINY += ("network.width=4", "network.slow_width=4", "network.rank=1", "runtime.block=40", "coarse.h=0.1")


def waves(x):
    return 2 + jnp.sin(2 * jnp.pi * x[0] / 0.5)


def rising(x):
    return 1 + x[0]


def rod(coefficient=waves, source=rising):
    conditions = {"left": hpms.Dirichlet(0), "right": hpms.Neumann(1)}
    return hpms.Problem(domain=hpms.Box(2), eps=0.5, coefficient=coefficient, source=source, conditions=conditions)


def test_a_function_whose_constants_change_is_another_one():
    constants = SimpleNamespace(high=2.0)
    of_constants = rod(coefficient=lambda x: constants.high + x[0])
    at = jnp.zeros((1, 1))
    found = []
    for constants.high in (2.0, 3.0):
        config = hpms.configure("+method=fast", *TINY, problem=of_constants)
        found.append((config.identity(), float(posed(config).medium(at).coefficient[0])))
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
    with pytest.raises(UserError, match=r"test_functions:waves, which is not at hand: give its problem"):
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
