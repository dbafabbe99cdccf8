import h5py
import numpy as np


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
