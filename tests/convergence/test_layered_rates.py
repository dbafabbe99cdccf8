"""The series of layered media converges in nodes and modes, and agrees with P2 elements within their error."""

import numpy as np
import pytest

from hpms.fem.fine.layered.method import Layered
from hpms.fem.fine.rates import fitted_rate
from hpms.fem.fine.solve import solve_fine
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.validation import relative_errors


def medium(period):
    return lambda x: 2 + np.sin(2 * np.pi * x[:, 0] / period) + 0.5 * np.cos(4 * np.pi * x[:, 0] / period + 0.3)


def source(x):
    return np.full(len(x), 3.0)


def random_points(dim, count=4000):
    return np.random.default_rng(0).random((count, dim)), np.full(count, 1 / count)


@pytest.mark.parametrize("period", [0.1, 0.13])
def test_errors_fall_like_the_square_of_the_number_of_modes(period):
    way, counts = Layered(2, period), [32, 64, 128]
    finest = way.solve(512, medium(period), source).lifted[0]
    points, weights = way._sampled(128)
    exact = finest.evaluate(points)
    found = [way.solve(n, medium(period), source).lifted[0] for n in counts]
    errors = np.array([relative_errors(*field.evaluate(points), *exact, weights) for field in found])
    assert fitted_rate(1 / np.array(counts[1:]), errors[1:, 1]) > 1.8
    assert fitted_rate(1 / np.array(counts), errors[:, 0]) > 2.5
    assert errors[-1, 1] < 1e-4 and errors[-1, 0] < 2e-6
    own = way.own_errors(128, found[2], found[1])
    assert 0.5 * errors[-1, 1] < own[1] / found[2].norms()[1] < 5 * errors[-1, 1]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("dim", "period", "cells"),
    [pytest.param(2, 0.1, 120, marks=pytest.mark.slow), (2, 0.13, 120), (2, 1.3, 40), (3, 0.45, 16)],
)
def test_p2_elements_converge_to_it(dim, period, cells):
    series = Layered(dim, period).solve(400 if period > 1 else 128, medium(period), source)
    fine, wide = (solve_fine(LagrangeSpace(dim, n, 2), medium(period), source, 2) for n in (cells, cells // 2))
    points, weights = random_points(dim)
    for ours, theirs, coarser in zip(series.lifted, fine.lifted, wide.lifted, strict=False):
        exact = ours.evaluate(points)
        errors = np.array([relative_errors(*field.evaluate(points), *exact, weights) for field in (theirs, coarser)])
        assert (errors[0] < errors[1] / [4, 2]).all() or (errors[0] < [1e-5, 2e-3]).all()
        np.testing.assert_allclose(ours.norms(), theirs.norms(), rtol=4 * errors[0].max() ** 2 + errors[0, 0])
    change = np.abs(series.upscaled_coefficient[:2] - fine.upscaled_coefficient).max()
    assert change < 0.2 * np.abs(series.upscaled_coefficient[:2] - wide.upscaled_coefficient).max()
