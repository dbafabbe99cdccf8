"""`hpms upscale` of an elastic body."""

import h5py
import numpy as np
import pytest

from tests.cli.test_elasticity import PLATE


@pytest.mark.thorough
def test_the_stiffness_of_a_plate_is_upscaled(hpms):
    layers = [each for each in PLATE if not each.startswith("coefficient.lam")]
    result = hpms("upscale", *layers, "coefficient.lam=1", "coefficient.periods=[eps]", "reference.h=0.1")
    assert result.code == 0 and "C*, periodic cell problem" in result.out, result.err
    with h5py.File(result.last_line) as file:
        found = {name: np.asarray(value) for name, value in file["summary"].attrs.items()}
    mu = 2 + np.sin(2 * np.pi * (np.arange(1000) + 0.5) / 1000)
    assert found["homogenised"][0, 0] == pytest.approx(1 / (1 / (1 + 2 * mu)).mean(), rel=1e-6)
    assert found["homogenised"][2, 2] == pytest.approx(2 / (1 / mu).mean(), rel=1e-6)
