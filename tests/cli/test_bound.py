"""Runs that know their error without a reference."""

import csv
import io

import h5py
import numpy as np
import pytest

import hpms as package
from tests.cli.conftest import PLANE

OWN = (
    *(argument for argument in PLANE if not argument.startswith(("training.bound", "reference."))),
    "+method=fast",
    "problem=box",
    "problem.conditions={all:{dirichlet:0}}",
    "coefficient=osc2d",
    "source=constant",
    "reference=none",
    "training.bound_points=2000",
)


def test_a_run_logs_its_bound_and_ends_with_one(hpms):
    result = hpms("train", *OWN, "training.bound_every=2")
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        found, history = dict(file["summary"].attrs), file["metrics/relative_error_bound"][:]
        assert len(history) == len(file["metrics/iteration"])
        assert file["metrics/error_bound_resolved"][-1] == found["error_bound_resolved"]
    assert np.isfinite(history[1:]).all()
    assert found["error_bound"] > 0 and found["error_bound_resolved"] == 1
    assert "The relative energy error is at most" in result.out and "no reference" in result.out
    solution = package.load(result.last_line)
    assert solution.error_bound.parts.sum() ** 0.5 == pytest.approx(solution.error_bound.energy, rel=1e-4)
    assert solution.error_bound.energy == pytest.approx(found["error_bound"], rel=1e-6)
    for more, said in (("--columns", "error_bond"), "--columns=error_bond"), (("--accuracy", "0"), "--accuracy=0"):
        refused = hpms("table", result.last_line, *more)
        assert refused.code != 0 and said in refused.err and len(refused.err.strip().splitlines()) == 1


def test_it_ends_where_the_accuracy_is_reached_with_that_iteration(hpms):
    result = hpms("train", *OWN, "training.accuracy=1000", "seed=3")
    assert result.code == 0, result.err
    assert "is at most training.accuracy=1000" in result.out
    with h5py.File(result.last_line) as file:
        found = dict(file["summary"].attrs)
        bounds = file["metrics/relative_error_bound"][:]
    assert found["iterations_done"] == found["iteration"] < 4
    assert np.isfinite(bounds[-1]) and not np.isfinite(bounds[:-1]).any()


def test_a_bound_that_fails_loses_no_run(hpms, monkeypatch):
    def broken(*_):
        raise MemoryError("no room")

    monkeypatch.setattr("hpms.experiment.error_bound", broken)
    result = hpms("train", *OWN, "seed=5")
    assert result.code == 0 and "no bound of the error: MemoryError: no room" in result.err
    with h5py.File(result.last_line) as file:
        assert file["summary"].attrs["status"] == "finished"


def test_a_run_that_falls_short_says_so_and_counts_as_failed(hpms):
    result = hpms("train", *OWN, "training.accuracy=1e-9")
    assert result.code == 0, result.err
    assert "above training.accuracy=1e-09" in result.out
    table = hpms("table", result.last_line, "--columns", "relative_error_bound", "--accuracy", "1e-9")
    assert "relative_error_bound" in table.out and "1 of 1" in table.out
    long = hpms("table", result.last_line, "--columns", "error_bound", "--accuracy", "1e9", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(long.out))
    assert float(row["error_bound_mean"]) > 0 and row["failed"] == "0"
