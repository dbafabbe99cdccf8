"""A start from a neighbour: the parameters of another run in place of random ones."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

import hpms
from hpms.errors import UserError
from hpms.results.run import StoredRun
from tests.cli.conftest import with_perceptron
from tests.cli.test_signals import start, wait_for_iteration
from tests.cli.test_train import status
from tests.stored import edited

NEIGHBOUR = ("problem.eps=0.125", "collocation.interior_points=220")


def test_a_run_begins_with_the_parameters_of_its_parent(hpms, tiny, finished):
    child = Path(hpms("train", *tiny, "training.iterations=25", f"init_from={finished.parent}").last_line)
    parent, found = StoredRun.at(finished), StoredRun.at(child)
    assert found.rows[0]["iteration"] == 0
    assert found.rows[0]["residual"] == pytest.approx(parent.summary["residual_loss"], rel=1e-6)
    assert found.rows[0]["relative_l2"] == pytest.approx(parent.summary["relative_l2"], rel=1e-6)
    np.testing.assert_array_equal(found.fixed["1"], parent.fixed["1"])
    named = found.parent
    assert (named.path, named.identity, named.seed) == (str(finished.parent), parent.identity, 0)
    assert named.iteration == parent.summary["iteration"]
    assert found.identity.endswith(f"-{named.digest}") and child.parts[3] == found.identity
    with h5py.File(child) as file:
        assert file["provenance/0"].attrs["parent_path"] == str(finished.parent)
    assert parent.parent is None


def test_another_scale_points_and_seed_keep_the_parents_network(tiny, finished):
    config = hpms.configure(*tiny, *NEIGHBOUR, "seed=3", f"init_from={finished}")
    parent, built = StoredRun.at(finished), hpms.build(config)
    np.testing.assert_array_equal(built.theta, parent.checkpoint("best")[0])
    coarse, fine = (np.asarray(parent.fixed[name]) for name in ("0", "1"))
    np.testing.assert_array_equal(built.fixed["0"], coarse)
    np.testing.assert_allclose(built.fixed["1"], 2 * fine, rtol=1e-6)
    assert len(built.points["interior"]) == 220


def test_a_run_goes_on_and_is_found_again_without_its_parent(hpms, tiny, finished, tmp_path):
    child = ("train", *tiny, *NEIGHBOUR, f"init_from={finished.parent}")
    part = hpms(*child, "training.wall_limit=1e-9")
    assert f"starts from iteration 20 of {finished.parent}" in part.err
    shutil.rmtree(finished.parent)
    for said in ("continues at iteration", "finished already"):
        again = hpms(*child)
        assert again.code == 0 and again.last_line == part.last_line and said in again.err + again.out
    stored = StoredRun.at(part.last_line)
    assert stored.status == "finished" and len(stored.sessions) == 2 and "parent_path" not in stored.sessions[1]
    anew = hpms(*child, "force=true")
    assert anew.code == 1 and "there is no such run any more" in anew.err
    other = hpms(*child, "seed=5")
    assert other.code == 1 and "is not a run: it has no run.h5" in other.err
    assert len(list(tmp_path.rglob("run.h5"))) == 1


def test_a_broken_run_beside_it_does_not_hide_a_run_or_why_there_is_none(hpms, tiny, finished):
    child = ("train", *tiny, *NEIGHBOUR, f"init_from={finished.parent}")
    part = Path(hpms(*child, "training.wall_limit=1e-9").last_line)
    identity = part.parts[3].partition("-")[0]
    broken = part.parents[2] / f"{identity}-0123456789ab" / "seed=0" / "run.h5"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"nothing")
    shutil.rmtree(finished.parent)
    again = hpms(*child)
    assert again.code == 0 and Path(again.last_line) == part, again.err
    shutil.rmtree(part.parent)
    lost = hpms(*child)
    assert lost.code == 1 and len(lost.err.splitlines()) == 1
    assert f"{finished.parent} is not a run: it has no run.h5. {broken} cannot be read as a run" in lost.err


@pytest.mark.thorough
def test_a_killed_run_goes_on_without_its_parent(hpms, tiny, tmp_path):
    tiny = (*with_perceptron(tiny), "training.checkpoint_seconds=0", "training.log_every=50")
    parent = Path(hpms("train", *tiny, "output=first").last_line)
    child = (*tiny, "training.iterations=600", "problem.eps=0.125", f"init_from={parent.parent}")
    whole = hpms("train", *child, "output=whole").last_line
    process = start(tmp_path, child, "killed")
    path = wait_for_iteration(tmp_path, "killed", 50)
    process.kill()
    process.communicate()
    assert status(path) == "running"
    shutil.rmtree("first")
    again = hpms("train", *child, "output=killed")
    assert again.code == 0 and "continues at iteration" in again.err
    assert Path(again.last_line) == path.relative_to(tmp_path)
    found, expected = (StoredRun.at(place).checkpoint("latest") for place in (path, whole))
    assert found[1] == expected[1] == 600
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.thorough
def test_a_grandchild_has_the_first_seeds_network(hpms, tiny, finished):
    child = hpms("train", *tiny, *NEIGHBOUR, "seed=2", f"init_from={finished.parent}").last_line
    grandchild = hpms("train", *tiny, "problem.eps=0.5", "seed=4", f"init_from={child}").last_line
    first, last = StoredRun.at(finished), StoredRun.at(grandchild)
    assert last.parent.seed == 0 and last.parent.identity == StoredRun.at(child).identity
    np.testing.assert_array_equal(last.fixed["0"], first.fixed["0"])


@pytest.mark.parametrize(
    ("place", "changed", "said"),
    [
        ("nowhere", (), "init_from=nowhere cannot be started from: nowhere is not a run: it has no run.h5."),
        ("outputs", (), "outputs is not a run: it has no run.h5."),
        ("{parent}", ("network.width=9",), "network.width=8 there and network.width=9 here."),
        ("{parent}", ("network.scales=[1,2]",), "there and network.scales=[1.0, 2.0] here."),
        ("{parent}", ("boundary=soft",), "boundary=hard there and boundary=soft here."),
        (
            "{parent}",
            ("problem.dim=2", "coefficient=osc2d", "source=osc2d"),
            "problem.dim=1 there and problem.dim=2 here.",
        ),
    ],
)
def test_what_cannot_be_started_from_is_refused_in_a_sentence(hpms, tiny, finished, place, changed, said):
    before = sorted(Path().rglob("*"))
    result = hpms("train", *tiny, *changed, f"init_from={place.format(parent=finished.parent)}")
    assert result.code == 1 and said in result.err and len(result.err.splitlines()) == 1, result.err
    assert sorted(Path().rglob("*")) == before


def test_other_networks_and_runs_without_parameters_are_refused(hpms, tiny, finished):
    other = hpms("train", *with_perceptron(tiny), f"init_from={finished.parent}")
    assert other.code == 1 and "network=ms_pinn there and network=mlp here" in other.err
    with edited(finished) as file:
        del file["checkpoint/best"]
        file["summary"].attrs["status"] = "running"
        for name in ("iteration", "residual_loss", "wall_seconds"):
            del file["summary"].attrs[name]
    empty = hpms("train", *tiny, *NEIGHBOUR, f"init_from={finished.parent}")
    assert empty.code == 1 and "has no checkpoint 'best' yet." in empty.err
    assert len(list(Path().rglob("run.h5"))) == 1


def test_another_number_of_outputs_is_refused_before_anything_is_written(hpms, tiny, finished, monkeypatch):
    with edited(finished) as file:
        for which in ("best", "latest"):
            theta = file[f"checkpoint/{which}/theta"][:-1]
            del file[f"checkpoint/{which}/theta"]
            file[f"checkpoint/{which}/theta"] = theta
    result = hpms("train", *tiny, *NEIGHBOUR, f"init_from={finished.parent}")
    assert result.code == 1 and "it has 160 parameters, and network=ms_pinn has 161 here." in result.err
    assert len(list(Path().rglob("run.h5"))) == 1 and len(list(Path("outputs/train/osc1d").iterdir())) == 1


@pytest.mark.thorough
def test_tables_tell_such_runs_apart_but_not_their_seeds(hpms, tiny, finished):
    tiny = with_perceptron(tiny)
    for seed in (0, 1):
        parent = hpms("train", *tiny, f"seed={seed}").last_line
        for more in ((), (f"init_from={parent}",)):
            assert hpms("train", *tiny, "problem.eps=0.125", f"seed={seed}", *more, "output=beside").code == 0
    lines = hpms("table", "beside", "--by", "init_from").out.splitlines()
    assert len([line for line in lines if " ± " in line]) == 2


@pytest.mark.thorough
def test_a_solution_starts_from_another_problems_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def solved(eps, *overrides, run_dir=None):
        formula = f"2 + sin(2*pi*x1/{eps})"
        problem = hpms.Problem(
            domain=hpms.Box(1), eps=eps, coefficient=formula, source=1, periods=[eps], conditions="linear"
        )
        few = ("training.iterations=2", "training.log_every=1", "training.bound_points=0", "reference=none")
        few += ("collocation.interior_points=100", "network.width=6", "network.rank=2")
        return hpms.solve(problem, "fast", *few, *overrides, run_dir=run_dir)

    parent = solved(0.5, run_dir="first")
    child = solved(0.5, "seed=7", "training.iterations=3", "init_from=first")
    again = solved(0.25, "init_from=first", run_dir="second")
    points = np.linspace(0, 1, 5)[:, None]
    assert child.iteration > 0 and np.abs(child.value(points) - parent.value(points)).max() < 1
    shutil.rmtree("first")
    np.testing.assert_array_equal(solved(0.25, "init_from=first", run_dir="second").value(points), again.value(points))
    with pytest.raises(UserError, match="init_from=first cannot be started from: first is not a run"):
        solved(0.25, "init_from=first")
