from pathlib import Path

import h5py
import numpy as np
import pytest


def test_the_classical_coefficients_are_printed_and_written(hpms):
    medium = ("problem.dim=2", "problem.eps=0.25", "coefficient=layered", "source=constant", "reference.h=1/32")
    result = hpms("upscale", *medium)
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        found = dict(file["summary"].attrs)
    for name in ("homogenised", "linear", "periodic", "no_flow"):
        assert found[name].shape == (2, 2), name
    low, high = found["harmonic"], found["arithmetic"]
    np.testing.assert_allclose(np.diag(found["homogenised"]), [low, high], rtol=1e-3)
    assert np.isnan(found["no_flow"][0, 1]) and "-" in result.out
    for line in ("K*, periodic cell problem", "linear conditions", "periodic conditions", "no flow", "harmonic mean"):
        assert line in result.out


def test_a_medium_without_periods_has_no_cell_problem(hpms):
    formula = ("coefficient=expression", "coefficient.formula=2+x1", "coefficient.periods=null")
    result = hpms("upscale", "problem.dim=1", *formula, "problem.eps=0.25")
    assert result.code == 0, result.err
    assert "no periods" in result.out
    with h5py.File(result.last_line) as file:
        assert np.isnan(file["summary"].attrs["homogenised"]).all()
        linear = file["summary"].attrs["no_flow"]
    np.testing.assert_allclose(linear, [[1 / np.log(1.5)]], rtol=1e-6)


@pytest.mark.thorough
def test_cells_have_tensors_of_each_kind_and_a_picture(hpms):
    medium = ("problem.dim=2", "problem.eps=0.25", "coefficient=layered", "source=constant", "reference.h=1/32")
    result = hpms("upscale", *medium, "upscaling=cells", "upscaling.cells=[4,2]")
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file:
        found = dict(file["summary"].attrs)
    for name in ("algorithm", "linear", "periodic", "no_flow"):
        assert found[f"cell_{name}"].shape == (8, 2, 2), name
    low, high = found["harmonic"], found["arithmetic"]
    np.testing.assert_allclose(found["cell_periodic"][3], np.diag([low, high]), rtol=5e-3, atol=1e-6)
    np.testing.assert_allclose(found["cell_algorithm"][:, 0, 0], low, rtol=0.15)
    assert found["cell_condition"].shape == (8,)
    assert "Algorithm 4.1, with q" in result.out and "Condition numbers" in result.out
    assert (Path(result.last_line).parent / "figure.png").stat().st_size > 1e4


def test_a_run_brings_its_medium_and_its_network(hpms, finished):
    run = finished.parent
    result = hpms("upscale", f"run={run}")
    assert result.code == 0, result.err
    with h5py.File(result.last_line) as file, h5py.File(run / "run.h5") as trained:
        assert file["summary"].attrs["network"] == trained["summary"].attrs["upscaled_coefficient"]
    assert "K̃ of the network" in result.out
    beside = hpms("upscale", f"run={run}", "problem.eps=0.1")
    assert beside.code == 1 and "leave out problem.eps" in beside.err
    finer = hpms("upscale", f"run={run}", "reference.h=1/100")
    assert finer.code == 0 and finer.last_line != result.last_line
    assert hpms("upscale", "run=nowhere").code == 1


@pytest.mark.thorough
def test_cells_that_no_coarse_mesh_has_and_a_run_without_reference_are_upscaled_too(hpms):
    formula = ("coefficient=expression", "coefficient.formula=2+x1", "coefficient.periods=null", "problem.dim=1")
    small = ("problem.eps=0.25", "network=mlp", "network.width=4", "coarse.h=0.25", "collocation.interior_points=50")
    many = hpms("upscale", *formula, "problem.eps=0.25", "upscaling=cells", "upscaling.cells=[16]", "coarse.h=0.25")
    assert many.code == 0, many.err
    options = ("reference=none", "training.iterations=1", "upscaling=cells", "upscaling.cells=[2]")
    trained = hpms("train", *formula, *small, *options)
    assert trained.code == 0, trained.err
    found = hpms("upscale", f"run={Path(trained.last_line).parent}")
    assert found.code == 0, found.err
    with h5py.File(found.last_line) as file:
        assert file["summary"].attrs["cell_network"].shape == (2, 1, 1)
        exact = 0.5 / np.diff(np.log([2, 2.5, 3]))
        np.testing.assert_allclose(file["summary"].attrs["cell_periodic"][:, 0, 0], exact, rtol=1e-6)
