"""Numbers measured with another finite element code, for the paper's cases."""

import numpy as np
import pytest

from hpms.fem.coarse.problem import CoarseProblem
from hpms.fem.fine.average import consistency_gaps
from hpms.fem.fine.baseline import baseline
from hpms.fem.fine.quadrature_1d import solve_exact
from hpms.fem.fine.reference import reference
from hpms.fem.p1 import P1Space
from hpms.fem.validation import validation_points

pytestmark = pytest.mark.thorough

EPS = {"osc1d": 1 / 15, "osc2d": 0.1}
DIM = {"osc1d": 1, "osc2d": 2}


def k_1d(x):
    return 2 + np.sin(2 * np.pi * x[:, 0] / EPS["osc1d"])


def q_1d(x):
    return -3 * (2 * x[:, 0] - 1)


def k_2d(x):
    return 3 + np.sin(np.pi * x[:, 0] / EPS["osc2d"]) + np.sin(2 * np.pi * x[:, 1] / EPS["osc2d"])


def q_2d(x):
    return 10 * np.exp(-100 * ((x - 0.5) ** 2).sum(axis=1))


MEDIUM = {"osc1d": (k_1d, q_1d), "osc2d": (k_2d, q_2d)}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The references with all defaults."""
    directory = tmp_path_factory.mktemp("cache")
    return {
        case: reference(DIM[case], eps, *MEDIUM[case], method="auto", h=None, delta=eps, cache_dir=directory, key=case)
        for case, eps in EPS.items()
    }


def test_upscaled_coefficients(found):
    assert found["osc1d"].upscaled_coefficient[0, 0] == pytest.approx(1.7320746, rel=1e-7)
    expected = [[2.8414901, -6.898e-4], [4.546e-4, 2.8260642]]
    np.testing.assert_allclose(found["osc2d"].upscaled_coefficient, expected, rtol=1e-4)


def test_homogenised_coefficient_in_1d():
    nothing = solve_exact(k_1d, lambda x: np.zeros(len(x)), 480)
    assert nothing.upscaled_coefficient[0, 0] == pytest.approx(3**0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("case", "l2", "h1", "coarse_l2", "tolerance"),
    [
        ("osc1d", 0.0215544575, 0.4169732714, 0.0199202028, 1e-8),
        ("osc2d", 0.011262967, 0.24674345, 0.011005192, 1e-4),
    ],
)
def test_norms(case, l2, h1, coarse_l2, tolerance, found):
    assert found[case].norm_l2 == pytest.approx(l2, rel=tolerance)
    assert found[case].norm_h1 == pytest.approx(h1, rel=tolerance)
    assert found[case].coarse_norm_l2 == pytest.approx(coarse_l2, rel=tolerance)


def test_own_errors_are_small_enough(found):
    assert found["osc1d"].own_error_h1 < 1e-12
    assert found["osc2d"].own_error_l2 < 2e-5
    assert found["osc2d"].own_error_h1 < 1.5e-3


@pytest.mark.parametrize(
    ("case", "gaps"), [("osc1d", (0.35198, 0.33746, 0.34391)), ("osc2d", (0.80491, 0.70870, 0.64633))]
)
def test_consistency_gaps(case, gaps, found):
    eps, fields = EPS[case], (found[case].fine, found[case].coarse)
    measured = [np.hypot(*consistency_gaps(*fields, delta, eps)) for delta in (eps / 2, eps, 2 * eps)]
    np.testing.assert_allclose(measured, gaps, rtol=1e-3)
    assert found[case].consistency_gap == pytest.approx(measured[1])


@pytest.mark.parametrize(
    ("case", "n", "l2", "h1"),
    [
        ("osc1d", 2000, 5.43e-5, 1.44e-2),
        ("osc2d", 100, 8.17e-3, 0.105),
        ("osc2d", 200, 2.06e-3, 0.0527),
        pytest.param("osc2d", 400, 5.16e-4, 0.0264, marks=pytest.mark.slow),
    ],
)
def test_p1_errors(case, n, l2, h1, found, tmp_path):
    measured = baseline(DIM[case], *MEDIUM[case], h=1 / n, exact=found[case].lifted[:1], cache_dir=tmp_path, key="key")
    assert measured.relative_l2 == pytest.approx(l2, rel=0.01)
    assert measured.relative_h1 == pytest.approx(h1, rel=0.01)


def test_coarse_state_of_osc2d_is_half_a_percent_low(found):
    space = P1Space(2, 0.04)
    scale = found["osc2d"].upscaled_coefficient[0, 0]
    y = CoarseProblem(space, space.load(q_2d)).factorise(scale * np.eye(2).ravel()).state()
    points, weights = validation_points(2, 0.04)
    norm = (weights @ (space.interpolation(points) @ y) ** 2) ** 0.5
    assert norm / 0.011005192 == pytest.approx(0.995, abs=5e-4)
