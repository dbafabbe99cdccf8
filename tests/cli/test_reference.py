import h5py
import numpy as np
import pytest


def summary(path):
    with h5py.File(path) as file:
        return dict(file["summary"].attrs)


def test_osc1d_has_the_numbers_measured_by_another_code(hpms):
    result = hpms("reference", "+experiment=osc1d")
    assert result.code == 0
    found = summary(result.last_line)
    assert found["upscaled_coefficient"] == pytest.approx(np.array([[1.7320746]]), abs=1e-6)
    assert found["norm_l2"] == pytest.approx(0.0215544575, rel=1e-8)
    assert found["norm_h1"] == pytest.approx(0.4169732714, rel=1e-8)
    assert found["coarse_norm_l2"] == pytest.approx(0.0199202028, rel=1e-6)
    assert found["consistency_gap"] == pytest.approx(0.33746, rel=1e-3)
    assert found["fem_relative_l2"] == pytest.approx(5.43e-5, rel=1e-2)
    assert found["assemble_seconds"] > 0 and found["solve_seconds"] > 0


def test_the_second_time_it_comes_from_the_cache(hpms):
    first = hpms("reference", "+experiment=osc1d")
    second = hpms("reference", "+experiment=osc1d", "coupling.delta=eps/2")
    assert not summary(first.last_line)["cached"] and summary(second.last_line)["cached"]
    assert summary(second.last_line)["consistency_gap"] == pytest.approx(0.35198, rel=1e-3)


def test_the_flux_of_w_has_the_source_as_its_divergence(hpms):
    with h5py.File(hpms("reference", "+experiment=osc1d").last_line) as file:
        fields = {name: np.asarray(array) for name, array in file["fields"].items()}
    x = fields["points"][:, 0]
    np.testing.assert_allclose(fields["w"], fields["value"] + x, rtol=1e-12)
    assert fields["w"][[0, -1]] == pytest.approx([0, 1], abs=2e-3)
    flux = fields["flux"][:, 0]
    np.testing.assert_allclose(np.diff(flux) / np.diff(x), -3 * (x[1:] + x[:-1] - 1), atol=1e-9)  # q = -3(2x - 1)


def test_a_right_hand_side_of_ones_own_with_zero_boundary_values(hpms):
    """-(K u')' = f, u = 0 on ∂Ω by q = f - K', as README says."""
    result = hpms(
        "reference",
        "coefficient=expression",
        "coefficient.formula=2+sin(2*pi*x1/eps)",
        "source=expression",
        "source.formula=1-2*pi/eps*cos(2*pi*x1/eps)",
        "problem.eps=0.1",
    )
    with h5py.File(result.last_line) as file:
        x, u = file["fields/points"][:, 0], file["fields/value"][:]
    fine = np.linspace(0, 1, 200_001)
    middle, inverse = (fine[1:] + fine[:-1]) / 2, 1 / (2 + np.sin(20 * np.pi * (fine[1:] + fine[:-1]) / 2))
    slope = (np.sum(middle * inverse) / np.sum(inverse) - middle) * inverse  # K u' = c - x with u(1) = 0
    np.testing.assert_allclose(u, np.interp(x, fine[1:], np.cumsum(slope) * np.diff(fine)), atol=1e-6)


def test_the_consistent_coupling_has_almost_no_gap(hpms):
    result = hpms("reference", "+experiment=osc1d", "coupling=consistent")
    found = summary(result.last_line)
    assert found["interior_gap"] == pytest.approx(0.321, rel=1e-2)
    assert np.hypot(found["interior_gap"], found["frame_gap"]) == pytest.approx(found["consistency_gap"])
    assert 0 < found["box_gap"] < 0.003
    assert found["box_gap_isotropic"] == pytest.approx(found["box_gap"])
    assert found["box_gap_coarse"] == pytest.approx(found["box_gap"], rel=1e-2)
    assert "boxes, interior Ω_δ" in result.out


def test_media_of_the_same_name_are_told_apart(hpms):
    constant = ("reference", "+experiment=osc1d", "coefficient=constant", "coefficient.constants.k=")
    one, two = (summary(hpms(*constant[:-1], constant[-1] + k).last_line) for k in "12")
    assert not two["cached"]
    assert one["upscaled_coefficient"][0, 0] == pytest.approx(1)
    assert two["upscaled_coefficient"][0, 0] == pytest.approx(2)


@pytest.mark.thorough
def test_a_layered_medium_at_a_small_eps(hpms):
    result = hpms(
        "reference",
        "+experiment=osc2d_fast",
        "coefficient=expression",
        "coefficient.formula=2+sin(2*pi*x1/eps)",
        "coefficient.periods=[eps,eps]",
        "source=constant",
        "reference=default",
        "reference.method=layered",
        "reference.h=eps/64",
        "reference.baseline_h=1/50",
        "problem.eps=0.001",
    )
    found = summary(result.last_line)
    assert "reference: series" in result.out and found["method"] == "layered"
    assert found["h"] == pytest.approx(0.001 / 64)
    assert found["own_error_l2"] < 1e-4 and found["own_error_h1"] < 1e-2
    np.testing.assert_allclose(found["upscaled_coefficient"], [[3**0.5, 0], [0, 2]], atol=1e-3)
    assert found["norm_l2"] == pytest.approx(0.02215, rel=2e-2)
    assert found["fem_relative_l2"] > 1e-3
