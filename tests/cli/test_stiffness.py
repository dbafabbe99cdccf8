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


STRAINS = (
    "+experiment=hooke_strains",
    "problem.eps=0.5",
    "coefficient=lame",
    "coefficient.lam=1",
    "coefficient.mu='2+x1'",
    "coarse.h=0.5",
    "collocation.interior_points=200",
    "training.iterations=8",
    "training.log_every=4",
)


@pytest.mark.thorough
@pytest.mark.parametrize(("dim", "width"), [(2, 12), pytest.param(3, 6, marks=pytest.mark.slow)])
def test_unit_strains_are_trained_and_evaluated(hpms, dim, width):
    lines = {
        2: ("reference.h=0.0625", "reference.baseline_h=0.125"),
        3: ("reference.h=0.25", "reference.baseline_h=0.25"),
    }
    network = ("network=mlp", f"network.width={width}", "network.depth=1")
    run = hpms("train", *STRAINS, *network, *lines[dim], f"problem.dim={dim}")
    assert run.code == 0 and "upscaled C̃₁₁" in run.out and "C̃ " in run.err, run.err
    result = hpms("evaluate", f"run={run.last_line}")
    assert result.code == 0, result.err
    with h5py.File(run.last_line) as trained, h5py.File(result.last_line) as evaluated:
        first, second = dict(trained["summary"].attrs), dict(evaluated["summary"].attrs)
        assert trained["fields/value"].shape[1] == dim * dim * (dim + 1) // 2
        assert "error_bound" in first and "relative_energy_error" in first
    for name in ("relative_l2", "upscaled_coefficient", "reference_own_h1"):
        assert np.allclose(first[name], second[name], rtol=1e-5), name
    own, error = first["reference_own_h1"], first["relative_energy_error"]
    assert error <= first["relative_error_bound"] + 3 * own
