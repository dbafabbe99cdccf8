"""Whole runs, by hand: `python -m pytest -m slow tests/regression`."""

import resource
import subprocess
import sys

import h5py
import numpy as np
import pytest

pytestmark = pytest.mark.slow


def train(folder, *arguments):
    command = [sys.executable, "-m", "hpms", "train", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with h5py.File(folder / done.stdout.rstrip().splitlines()[-1]) as file:
        return dict(file["summary"].attrs)


def test_the_quickstart_keeps_its_bound(tmp_path):
    found = train(tmp_path, "+experiment=quickstart", "training.wall_limit=600")
    assert found["error_bound_resolved"] == 1 and found["relative_error_bound"] <= 0.01
    assert found["relative_energy_error"] <= 1.1 * found["relative_error_bound"]  # the reference has its own
    assert found["relative_l2"] < 5e-3
    assert np.allclose(found["upscaled_coefficient"], found["reference_upscaled_coefficient"], rtol=2e-3)


def test_a_million_points_train_in_8_gib(tmp_path):
    train(
        tmp_path,
        "+experiment=osc2d",
        "collocation.interior_points=1000000",
        "training.iterations=2",
        "reference.h=0.01",
    )
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 8 * 2**20
