import os
import subprocess
import sys
from types import SimpleNamespace

import h5py
import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms.errors import UserError
from hpms.results.collection import Run, group
from hpms.results.hdf5 import atomic_h5, read_tree, write_tree
from hpms.results.lock import locked
from hpms.results.metrics import MetricsLog, columns, rows_from
from hpms.results.outcome import kind
from hpms.results.report import report
from hpms.results.table import matrix, table
from hpms.training.start import Parent


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.h5"
    with atomic_h5(path) as file:
        file["x"] = 1
    with pytest.raises(ZeroDivisionError), atomic_h5(path) as file:
        file["x"] = 2
        raise ZeroDivisionError
    with h5py.File(path) as file:
        assert file["x"][()] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


def test_a_file_has_the_permissions_of_any_other(tmp_path):
    with atomic_h5(tmp_path / "a.h5"):
        pass
    (tmp_path / "b").touch()
    assert (tmp_path / "a.h5").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_a_tree_comes_back_with_the_same_bits(tmp_path, dtype):
    tree = {"a": jnp.arange(5, dtype=dtype) / jnp.asarray(3, dtype), "b": (jnp.asarray(7, dtype), [jnp.zeros((2, 3))])}
    with atomic_h5(tmp_path / "a.h5") as file:
        write_tree(file.create_group("tree"), tree)
    with h5py.File(tmp_path / "a.h5") as file:
        found = read_tree(file["tree"], tree)
    assert found.keys() == tree.keys()
    assert np.asarray(found["a"]).tobytes() == np.asarray(tree["a"]).tobytes()
    assert found["b"][0].dtype == tree["b"][0].dtype


@pytest.mark.parametrize("like", [{"a": np.zeros(4)}, {"a": np.zeros(3, "float32")}, {"a": np.zeros(3), "b": 1}])
def test_a_tree_of_another_shape_is_refused(tmp_path, like):
    with atomic_h5(tmp_path / "a.h5") as file:
        write_tree(file.create_group("tree"), {"a": np.zeros(3)})
    with h5py.File(tmp_path / "a.h5") as file, pytest.raises(ValueError, match="needed"):
        read_tree(file["tree"], like)


def test_metrics_go_to_columns_and_back():
    rows = [{"iteration": i, "loss": i / 7, "k": [[1.0 * i, 2.0]]} for i in range(3)]
    found = columns(rows)
    assert found["k"].shape == (3, 1, 2)
    assert rows_from(found) == rows
    assert rows_from(columns([])) == []


def test_a_log_starts_with_the_rows_of_the_checkpoint(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"iteration": 0}\n{"iteration": 5}\n{"iterat')
    log = MetricsLog(path, [{"iteration": 0, "loss": float("nan")}])
    log.append({"iteration": 3, "loss": 1.0})
    assert path.read_text() == '{"iteration": 0, "loss": null}\n{"iteration": 3, "loss": 1.0}\n'
    log.close()


@pytest.mark.parametrize(("iteration", "kept"), [(5, [0, 5]), (7, [0, 5]), (20, [0, 5, 10]), (-1, [])])
def test_a_log_forgets_what_is_behind_the_checkpoint_that_is_gone_back_to(tmp_path, iteration, kept):
    log = MetricsLog(tmp_path / "metrics.jsonl", [{"iteration": i} for i in (0, 5, 10)])
    log.cut(iteration)
    log.close()
    assert [row["iteration"] for row in log.rows] == kept


def test_a_locked_directory_is_refused_to_another_process(tmp_path):
    code = "import sys, pathlib, hpms.results.lock as lock\nwith lock.locked(pathlib.Path(sys.argv[1])): pass"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    with locked(tmp_path):
        inside = subprocess.run(command, capture_output=True, text=True, env=environment)
    outside = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert inside.returncode != 0 and "in use by another process" in inside.stderr
    assert outside.returncode == 0, outside.stderr
    with locked(tmp_path), pytest.raises(UserError, match="in use"), locked(tmp_path):
        pass


def test_a_tilde_takes_no_place_in_a_table():
    lines = table(["", "x"], [["K̃", "1"], ["KK", "2"]]).splitlines()
    assert lines[2].index("1") - lines[3].index("2") == 1
    assert matrix(np.array([[1.0, 0.5], [0.0, 2.0]])) == "[1.0000000, 0.5000000; 0.0000000, 2.0000000]"


@pytest.mark.parametrize(
    ("relative", "said"),
    [
        (0.5, "The relative energy error is at most 5.00e-01: 90 points, 1.0 s, no reference."),
        (3.0, "The relative energy error is at most 3.00e+00, and |||w* - w||| is at most 2.50e-01: 90 points,"),
        (np.inf, "The relative energy error may be 1 and more, and |||w* - w||| is at most 2.50e-01: 90 points,"),
    ],
)
def test_a_bound_that_says_little_of_the_relative_error_is_told_as_it_is(relative, said):
    found = {"error_bound": 0.25, "relative_error_bound": relative, "error_bound_resolved": 1}
    found |= {"error_bound_points": 90, "error_bound_seconds": 1.0, "coupling_gap": 0.5}
    text = report(found, hpms.configure("+experiment=osc1d"))
    assert said in text
    assert (
        "The coupling's own error, what it leaves of the exact solution u: ‖Q̄u - y‖/‖u‖ = 0.5 (0 would be none)."
        in text
    )


def listed(coefficients):
    """Runs that differ in the values of their coefficient."""
    every = [{"coupling": {"name": "none"}, "network": {"name": "mlp"}, "problem": {"eps": 0.1}} for _ in coefficients]
    values = [{**base, "coefficient": each, "seed": 0} for base, each in zip(every, coefficients, strict=True)]
    return [Run(SimpleNamespace(values=each, experiment="custom", parent=None)) for each in values]


def formula(text, **constants):
    return {"name": "expression", "formula": text, "constants": constants, "periods": None}


def test_a_formula_with_a_file_of_its_own_is_called_as_that_file():
    runs = listed([formula("k", k=1), formula("2 + 1.5*sin(2*pi*x1/eps)*sin(2*pi*x2/eps)")])
    assert [run.keys["coefficient"] for run in runs] == ["constant", "sines"]
    assert group(runs)[0] == ["coupling", "network", "coefficient"]


def test_runs_that_differ_in_an_options_own_key_alone_stay_apart_beside_other_options():
    runs = listed([formula("k", k=1), formula("1+x1"), formula("2+x1")])
    keys, groups = group(runs)
    assert keys == ["coupling", "network", "coefficient", "coefficient.formula"]
    assert [len(each.runs) for each in groups] == [1, 1, 1]


@pytest.mark.parametrize(
    ("starts", "told"),
    [
        ([(0, "a", 9), (1, "b", 9)], []),  # seeds that have parents of their own
        ([(0, "a", 9), (1, "a", 9)], []),
        ([(0, "a", 9), (0, "b", 9), (1, "a", 9)], ["init_from.path"]),
        ([(0, "a", 5), (0, "a", 9)], ["init_from.iteration"]),  # a parent that was trained further
    ],
)
def test_children_of_one_seed_are_told_apart_by_their_parents(starts, told):
    runs = listed([formula("k", k=1)] * len(starts))
    for run, (seed, path, iteration) in zip(runs, starts, strict=True):
        run.stored.values["seed"] = seed
        run.stored.parent = Parent(path, "0123456789ab", iteration, f"{path}{iteration}", 0)
    keys, groups = group(runs)
    assert keys == ["coupling", "network", *told]
    assert len(groups) == (2 if told else 1)


@pytest.mark.parametrize(
    "status, error, is_kind, counts",
    [
        ("finished", 0.1, "finished", False),
        ("finished", 0.95, "trapped", True),
        ("finished", float("nan"), "failed", True),
        ("interrupted", 0.1, "interrupted", True),
        ("running", 0.1, "running", True),
        ("nan", 0.1, "failed", True),
        ("diverged", 0.1, "failed", True),
    ],
)
def test_a_run_ended_in_one_of_these_ways(status, error, is_kind, counts):
    run = Run(SimpleNamespace(status=status, summary={"relative_l2": error}))
    assert (kind(run), run.failed) == (is_kind, counts)
