"""The paper's sentences against runs that are made up."""

import pytest

from hpms.results.collection import Run
from hpms.results.findings import _FORMULAS, findings
from hpms.results.run import StoredRun


def a_run(coupling="ball", network="mlp", status="finished", error=0.1, name="osc2d", eps=0.1, **training):
    coefficient, source = _FORMULAS[name]
    values = {
        "problem": {"name": "unit_cube", "dim": int(name[3]), "eps": eps},
        "coefficient": {"name": "expression", "formula": coefficient},
        "source": {"name": "expression", "formula": source.replace("*", " * ")},
        "coupling": {"name": coupling},
        "network": {"name": network},
        "optimizer": {"name": "adam"},
        "training": {"name": "default", "iterations": 20_000, **training},
        "seed": 0,
    }
    stored = StoredRun.__new__(StoredRun)
    stored.values, stored.experiment, stored.rows = values, "x", [{"iteration": 0, "relative_l2": 1.0}]
    stored.parent = None
    stored.summary = {
        "status": status,
        "relative_l2": error,
        "iterations_done": 20_000,
        "iteration": 100,
        "wall_seconds": 1.0,
    }
    return Run(stored)


def verdict(runs, claim):
    (found,) = [found for found in findings(runs) if claim in found.claim]
    return found.verdict, found.numbers


def test_a_run_that_broke_is_no_robust_one():
    runs = [a_run(), a_run(status="nan"), a_run(status="running")]
    assert verdict(runs, "robust on all seeds") == ("contradicted", "1 of 2 runs failed")
    assert verdict(runs[:1], "robust on all seeds") == ("shown", "0 of 1 runs failed")


@pytest.mark.parametrize(
    ("claim", "numbers"),
    [
        ("most plain MLP runs fail", "0 of 1 runs failed, in 2000 iterations"),
        ("robust on all seeds", "0 of 1 runs failed, in 2000 iterations"),
        ("has the smaller error", "hybrid 1.00e-01, plain 2.00e-01, in 2000 iterations"),
    ],
)
def test_short_runs_say_nothing_for_or_against(claim, numbers):
    runs = [a_run(iterations=2000), a_run("none", error=0.2, iterations=2000)]
    assert verdict(runs, claim) == ("cannot be shown", numbers)
    assert verdict([a_run(), a_run("none", error=0.2)], claim)[0] != "cannot be shown"


def test_unlike_runs_are_not_pooled():
    found = verdict([a_run(), a_run(iterations=5)], "robust on all seeds")
    assert found == ("cannot be shown", "these runs differ in training.iterations")


def test_another_problem_is_not_the_papers():
    run = a_run()
    run.stored.values["source"]["formula"] = "1"
    assert findings([run]) == []


@pytest.mark.parametrize(
    ("eps", "error", "expected"),
    [(1 / 15, 0.3, "shown"), (1 / 15, 0.6, "contradicted"), (0.1, 0.3, "cannot be shown")],
)
def test_a_claim_is_about_its_own_eps(eps, error, expected):
    runs = [a_run("ball", "ms_pinn", error=error, name="osc1d", eps=eps)]
    assert verdict(runs, "stagnates near 0.3")[0] == expected


def test_a_run_without_errors_says_nothing():
    run = a_run()
    del run.summary["relative_l2"]
    run.stored.values["reference"] = {"name": "none"}
    assert verdict([a_run(), run], "robust on all seeds") == ("shown", "0 of 1 runs failed")
    assert findings([run]) == []


def test_early_is_a_fifth_of_the_way():
    runs = [a_run(coupling, "ms_pinn") for coupling in ("ball", "none")]
    for run, error in zip(runs, (0.5, 0.7), strict=True):
        errors = {0: 9.0, 3900: error, 12_000: 2.0 - error, 20_000: 0.1}
        run.stored.rows[:] = [{"iteration": i, "relative_l2": e} for i, e in errors.items()]
    assert verdict(runs, "converges faster early") == ("shown", "hybrid 5.00e-01, plain 7.00e-01")
