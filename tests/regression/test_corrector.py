"""Homogenisation with its corrector against what is known of it."""

import numpy as np
import pytest

from hpms.fem.fine.corrector import corrector, expansion
from hpms.fem.fine.quadrature_1d import solve_exact
from hpms.fem.fine.upscaled import period_box, periodic
from hpms.fem.validation import validation_points


def waves(eps):
    return lambda x: 2 + np.sin(2 * np.pi * x[:, 0] / eps)


def source(x):
    return -3 * (2 * x[:, 0] - 1)


def diagonal(x):
    return 2 + 1.6 * np.sin(2 * np.pi * (x[:, 0] + x[:, 1]) / 0.1)


def wide_diagonal(x):
    return diagonal(x / 5)


def errors(eps, folder):
    points, weights = validation_points(1, eps)
    value, gradient = solve_exact(waves(eps), source, 600).lifted[0].evaluate(points)
    found = corrector(
        waves(eps),
        source,
        (eps,),
        points=points,
        weights=weights,
        exact=(value[:, None], gradient[:, None]),
        cache_dir=folder,
        key=f"{eps}",
    )
    return found.relative_l2, found.relative_h1, found.cached


def test_both_errors_are_of_first_order_in_eps_in_1d(tmp_path):
    coarse, fine = errors(1 / 10, tmp_path), errors(1 / 40, tmp_path)
    assert coarse[0] / fine[0] == pytest.approx(4, rel=0.2)
    assert coarse[1] / fine[1] == pytest.approx(4, rel=0.2)
    assert not coarse[2] and errors(1 / 10, tmp_path) == (*coarse[:2], True)


def test_a_corrector_has_mean_zero_and_is_periodic():
    for chi in periodic(diagonal, period_box((0.1, 0.1), 20)).correctors:
        points, weights = validation_points(2, 0.5)
        assert abs(weights @ chi.values(points)) < 1e-6 < np.abs(chi.values(points)).max()
        side = np.linspace(0, 1, 30)[:, None]
        left, right = (chi.values(np.hstack([np.full_like(side, end), side])) for end in (0, 1))
        np.testing.assert_allclose(left, right, atol=1e-14)


def test_the_expansion_has_its_own_gradient_and_the_lifting_of_its_problem():
    found = expansion(wide_diagonal, lambda x: 5 * np.sin(np.pi * x[:, 0]) * np.sin(np.pi * x[:, 1]), (0.5, 0.5))
    points = 0.3 + 0.4 * np.random.default_rng(0).random((40, 2))
    value, gradient = found.evaluate(points, 2)
    step = 1e-5
    for axis in range(2):
        ahead, behind = (found.evaluate(points + s * np.eye(2)[axis], 2)[0] for s in (step, -step))
        error = np.abs((ahead - behind) / (2 * step) - gradient[:, :, axis])
        assert np.median(error) < 0.005 * np.abs(gradient).max()
    chi = found.cell.correctors
    there = (points / 0.5) % 1
    np.testing.assert_allclose(value[:, 0] - value[:, 1], chi[0].values(there) - chi[1].values(there), atol=1e-14)
    assert np.isfinite(found.evaluate(np.array([[0.0, 1.0], [1.0, 1.0]]), 2)[1]).all()
