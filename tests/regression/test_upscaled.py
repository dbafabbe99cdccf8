"""Upscaled coefficients by fine finite elements against what is known of them."""

import numpy as np
import pytest

from hpms.fem.fine.solve import assemble, solve_fine
from hpms.fem.fine.upscaled import linear, means, no_flow, period_box, periodic, unit_box
from hpms.fem.lagrange import LagrangeSpace

EPS = 0.125
TWO_PI = 2 * np.pi


def nothing(points):
    return np.zeros(len(points))


def layered(points):
    return 2 + np.sin(TWO_PI * points[:, 0] / EPS)


def diagonal(points):
    return 2 + 1.6 * np.sin(TWO_PI * (points[:, 0] + points[:, 1]) / EPS)


def inverse(points):
    """exp of a function that changes its sign with a shift: in 2-D K* = I."""
    return np.exp(0.8 * np.sin(TWO_PI * points[:, 0] / EPS) * np.cos(TWO_PI * points[:, 1] / EPS))


def osc2d(points):
    return 3 + np.sin(np.pi * points[:, 0] / EPS) + np.sin(TWO_PI * points[:, 1] / EPS)


@pytest.mark.parametrize(
    ("coefficient", "periods", "expected", "tolerance"),
    [
        (inverse, (EPS, EPS), np.eye(2), 1e-6),
        (diagonal, (EPS, EPS), [[1.6, -0.4], [-0.4, 1.6]], 1e-5),
        (osc2d, (2 * EPS, EPS), np.diag([2.825913, 2.818587]), 1e-5),
        (layered, (EPS, EPS), np.diag([3**0.5, 2]), 1e-6),
        (layered, (EPS,), [[3**0.5]], 1e-8),
        (layered, (EPS, EPS, EPS), np.diag([3**0.5, 2, 2]), 1e-3),
    ],
)
def test_the_cell_problem_gives_the_homogenised_tensor(coefficient, periods, expected, tolerance):
    np.testing.assert_allclose(periodic(coefficient, period_box(periods)).tensor, expected, atol=tolerance)


@pytest.mark.parametrize("coefficient", [inverse, diagonal, osc2d, layered])
def test_without_a_source_all_are_symmetric_positive_definite_and_between_the_means(coefficient):
    arithmetic, harmonic = means(coefficient, 2, (2 * EPS, EPS))
    box = unit_box(2, 48)
    fine = solve_fine(LagrangeSpace(2, 48, 2), coefficient, nothing, 2).upscaled_coefficient
    np.testing.assert_allclose(linear(coefficient, box), fine, atol=1e-9)
    cell = periodic(coefficient, period_box((2 * EPS, EPS)))
    for found in (cell.tensor, periodic(coefficient, box).tensor, fine):
        np.testing.assert_allclose(found, found.T, atol=1e-8)
        eigenvalues = np.linalg.eigvalsh(found)
        assert harmonic - 1e-3 < eigenvalues.min() and eigenvalues.max() < arithmetic + 1e-3
    sides = no_flow(coefficient, box)
    assert np.isnan(sides[0, 1]) and np.isnan(sides[1, 0])
    assert ((np.diag(sides) > harmonic - 1e-3) & (np.diag(sides) < arithmetic + 1e-3)).all()


def test_whole_periods_make_the_periodic_condition_the_cell_problem():
    np.testing.assert_allclose(
        periodic(diagonal, unit_box(2, 128)).tensor, periodic(diagonal, period_box((EPS, EPS), 16)).tensor, atol=1e-9
    )


def test_a_source_shifts_the_linear_tensor_by_its_mean_over_the_correctors():
    space = LagrangeSpace(2, 40, 2)

    def source(points):
        return 5 * np.sin(np.pi * points[:, 0]) * np.sin(np.pi * points[:, 1])

    without, with_source = (solve_fine(space, diagonal, q, 2) for q in (nothing, source))
    load = assemble(space, diagonal, source).load
    shift = np.array([load @ field.data for field in without.lifted])
    found = without.upscaled_coefficient - with_source.upscaled_coefficient
    np.testing.assert_allclose(found, np.tile(shift, (2, 1)), atol=1e-9)
