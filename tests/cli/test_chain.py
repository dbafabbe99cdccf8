"""Chains: each job of a sweep starts from the run of the one before."""

from pathlib import Path

import pytest

from hpms.results.run import StoredRun
from tests.cli.conftest import with_perceptron
from tests.cli.test_signals import start
from tests.cli.test_sweep import rows

SWEPT = ("seed=0,1", "problem.eps=0.5,0.25,0.125", "chain=true")


def alone(tiny):
    """The network that compiles soonest, without a coupling."""
    return (*(each for each in with_perceptron(tiny) if not each.startswith("coupling.")), "coupling=none")


def runs(folder="outputs"):
    """Each run by ε and seed."""
    found = [StoredRun.at(path) for path in Path(folder).glob("train/**/run.h5")]
    return {(run.values["problem"]["eps"], run.values["seed"]): run for run in found}


def check_parents(found, scales=(0.25, 0.125)):
    for seed in (0, 1):
        assert found[0.5, seed].parent is None
        for eps in scales:
            before = found[2 * eps, seed]
            assert found[eps, seed].parent.path == str(before.path.parent)
            assert found[eps, seed].parent.identity == before.identity


def test_each_member_starts_from_the_one_before_and_a_second_call_computes_nothing(hpms, tiny):
    tiny = alone(tiny)
    swept = ("train", "-m", *tiny, "seed=0,1", "problem.eps=0.5,0.25", "chain=true")
    first = hpms(*swept)
    assert first.code == 0, first.err
    assert [tuple(row[1:4]) for row in rows(first.out)] == [
        (eps, seed, "finished") for eps in ("0.5", "0.25") for seed in ("0", "1")
    ]
    check_parents(runs(), (0.25,))
    files = {path: path.read_bytes() for path in Path().glob("outputs/train/**/run.h5")}
    again = hpms(*swept)
    assert [row[3:] for row in rows(again.out)] == [row[3:] for row in rows(first.out)]
    assert {path: path.read_bytes() for path in Path().glob("outputs/train/**/run.h5")} == files


@pytest.mark.thorough
def test_a_member_that_fails_stops_its_chain(hpms, tiny):
    tiny = alone(tiny)
    result = hpms("train", "-m", *tiny, "seed=0,-1", "problem.eps=0.5,0.25,0.125", "chain=true")
    assert result.code == 1
    assert [row[3] for row in rows(result.out)] == ["finished", "failed"] * 3
    assert "job 3 (0.25 -1): this job starts from the run of job 1, which is not finished." in result.out.replace(
        "problem.eps=", ""
    ).replace("seed=", "")
    assert "job 5" in result.out and "the run of job 3, which is not finished." in result.out
    assert result.err.count("which is not finished") == 2 and "Traceback" not in result.err


@pytest.mark.thorough
def test_an_interrupted_member_is_waited_for(hpms, tiny):
    tiny = alone(tiny)
    swept = ("train", "-m", *tiny, "problem.eps=0.5,0.25", "chain=true")
    part = hpms(*swept, "training.wall_limit=1e-9")
    assert part.code == 1 and [row[2] for row in rows(part.out)] == ["interrupted", "failed"]
    whole = hpms(*swept)
    assert whole.code == 0 and [row[2] for row in rows(whole.out)] == ["finished"] * 2
    assert len(runs()) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("chain=true", "problem.eps=0.2"), "it links the jobs of a sweep: add -m and several values of a key"),
        (("-m", "chain=true", "seed=0,1"), "such as problem.eps=0.2,0.1, and none has several."),
        (
            ("-m", "chain=true", "problem.eps=0.2,0.1", "seed=0,1", "coupling=ball,none"),
            "problem.eps=0.2,0.1, and problem.eps and coupling have several.",
        ),
    ],
)
def test_what_is_no_chain_is_refused_in_a_sentence(hpms, tiny, words, said):
    result = hpms("train", *with_perceptron(tiny), *words)
    assert result.code == 1 and said in result.err and len(result.err.splitlines()) == 1, result.err
    assert not list(Path().iterdir())


def test_a_chain_has_one_run_at_a_time(hpms, tiny):
    result = hpms("train", "-m", *with_perceptron(tiny), "problem.eps=0.2,0.1", "chain=true", "ensemble=2")
    assert result.code == 1 and "ensemble=2 is not allowed: a chain has one run at a time" in result.err
    assert not list(Path().glob("outputs/train"))


@pytest.mark.thorough
def test_seeds_of_a_chain_run_side_by_side(tmp_path, tiny):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    process = start(tmp_path, ("-m", *launcher, *with_perceptron(tiny), *SWEPT), "out")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0 and "Traceback" not in err.decode(), err.decode()
    assert [row[3] for row in rows(out.decode())] == ["finished"] * 6
    found = runs(tmp_path / "out")
    assert all(found[eps, seed].parent for eps in (0.25, 0.125) for seed in (0, 1))
