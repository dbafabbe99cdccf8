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


def test_the_quickstart_comes_near_the_gap_of_its_coupling(tmp_path):
    found = train(tmp_path, "+experiment=quickstart")
    assert found["relative_l2"] < 0.1 and found["relative_h1"] < 0.1
    assert np.allclose(found["upscaled_coefficient"], found["reference_upscaled_coefficient"], rtol=0.05)


def test_a_million_points_train_in_8_gib(tmp_path):
    train(tmp_path, "+experiment=osc2d", "collocation.interior=1000000", "training.iterations=2", "reference.h=0.01")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 8 * 2**20
