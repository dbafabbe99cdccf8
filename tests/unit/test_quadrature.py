"""The exact solution in 1-D, averages over balls, and quadrature rules."""

import numpy as np
import pytest

from hpms.errors import UserError
from hpms.fem.field import LagrangeField
from hpms.fem.fine.average import ball_means, consistency_gaps, framed_rule
from hpms.fem.fine.quadrature_1d import PanelField, solve_exact
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.rules import ball
from hpms.fem.validation import relative_errors, validation_points

EPS = 0.1


def coefficient(x):
    return 2 + np.sin(2 * np.pi * x[:, 0] / EPS)


def source(x):
    """-(K (u' + 1))' for u = sin(3πx)."""
    t, a, b = x[:, 0], 3 * np.pi, 2 * np.pi / EPS
    return -b * np.cos(b * t) * (a * np.cos(a * t) + 1) + coefficient(x) * a * a * np.sin(a * t)


def test_exact_solution_anywhere():
    solution = solve_exact(coefficient, source, 320)
    points = np.concatenate([np.random.default_rng(0).random((500, 1)), PanelField.nodes(5), [[0.0], [0.5], [1.0]]])
    value, slope = solution.lifted[0].evaluate(points)
    np.testing.assert_allclose(value, np.sin(3 * np.pi * points[:, 0]), atol=1e-11)
    np.testing.assert_allclose(slope[:, 0], 3 * np.pi * np.cos(3 * np.pi * points[:, 0]), atol=1e-9)
    np.testing.assert_array_equal(solution.lifted[0].values(points), value)
    np.testing.assert_allclose(solution.lifted[0].norms(), [0.5**0.5, 3 * np.pi * 0.5**0.5], rtol=1e-11)
    grid, weights = validation_points(1, EPS / 10)
    expected = weights @ (coefficient(grid) * (3 * np.pi * np.cos(3 * np.pi * grid[:, 0]) + 1))
    assert solution.upscaled_coefficient[0, 0] == pytest.approx(expected, rel=1e-10)


def test_without_source_the_upscaled_coefficient_is_the_harmonic_mean():
    found = solve_exact(coefficient, lambda x: np.zeros(len(x)), 320).upscaled_coefficient[0, 0]
    assert found == pytest.approx(3**0.5, rel=1e-12)


def test_without_jump_it_solves_the_coarse_equation():
    field = solve_exact(lambda x: np.full(len(x), 2.0), lambda x: np.ones(len(x)), 4, jump=0.0).lifted[0]
    x = np.linspace(0, 1, 11)
    np.testing.assert_allclose(field.values(x[:, None]), x * (1 - x) / 4, atol=1e-15)


def test_wrong_input_of_the_exact_solution_is_refused():
    with pytest.raises(UserError, match="positive"):
        solve_exact(lambda x: -coefficient(x), source, 10)
    with pytest.raises(UserError, match="finite"):
        solve_exact(coefficient, lambda x: np.full(len(x), np.nan), 10)
    field = solve_exact(coefficient, source, 10).lifted[0]
    for bad in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="outside"):
            field.values(np.array([[bad]]))
    with pytest.raises(ValueError, match="points per panel"):
        PanelField(np.zeros((2, 3, 4)))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_ball_rule_is_exact_for_polynomials(dim):
    points, weights = ball(dim, 0.4, radii=4, angles=12, heights=6)
    assert np.linalg.norm(points, axis=1).max() < 0.2
    assert weights.sum() == pytest.approx(1, rel=1e-14)
    np.testing.assert_allclose(weights @ points, 0, atol=1e-15)
    np.testing.assert_allclose(points.T @ (weights[:, None] * points), np.eye(dim) * 0.04 / (dim + 2), atol=1e-15)
    fourth = {1: 1 / 5, 2: 1 / 8, 3: 3 / 35}[dim] * 0.2**4
    np.testing.assert_allclose(weights @ points**4, fourth, rtol=1e-12)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_ball_means_of_a_parabola(dim):
    space = LagrangeSpace(dim, 4, 2)
    field = LagrangeField(space, (space.nodes**2).sum(axis=1))
    nodes = np.random.default_rng(0).random((60, dim))
    inner = np.minimum(nodes, 1 - nodes).min(axis=1) > 0.1
    assert inner.any() and not inner.all()
    expected = (nodes**2).sum(axis=1) + inner * dim / (dim + 2) * 0.1**2
    np.testing.assert_allclose(ball_means(field, nodes, 0.2, 0.3), expected, atol=1e-12)


@pytest.mark.parametrize("delta", [0.07, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_panels_end_at_the_frame(dim, delta):
    points, weights = framed_rule(dim, delta, 0.3)
    inner = np.minimum(points, 1 - points).min(axis=1) > delta / 2
    assert weights.sum() == pytest.approx(1)
    assert weights[inner].sum() == pytest.approx(max(0, 1 - delta) ** dim, abs=1e-13)


def test_gap_of_a_known_pair():
    """In 1-D, u = 1 - x² has Q̄u - u = -δ²/12 in the interior, so that the gap from y = u is known."""
    space, delta = LagrangeSpace(1, 8, 2), 0.3
    field = LagrangeField(space, 1 - space.nodes[:, 0] ** 2)
    expected = (1 - delta) ** 0.5 * delta**2 / 12 / (8 / 15) ** 0.5
    interior, frame = consistency_gaps(field, field, delta, 0.5)
    assert interior == pytest.approx(expected, rel=1e-12) and frame == 0
    nothing = LagrangeField(space, np.zeros(space.size))
    assert np.isnan(consistency_gaps(nothing, field, delta, 0.5)).all()


def test_ball_means_need_positive_lengths():
    field = LagrangeField(LagrangeSpace(1, 2, 1), np.zeros(3))
    for delta, scale in [(0.0, 0.1), (0.1, 0.0)]:
        with pytest.raises(ValueError, match="positive"):
            ball_means(field, np.array([[0.5]]), delta, scale)


@pytest.mark.parametrize(("dim", "eps", "count"), [(1, 0.1, 160), (2, 0.1, 160**2), (3, 0.5, 32**3)])
def test_validation_points_integrate(dim, eps, count):
    points, weights = validation_points(dim, eps)
    assert points.shape == (count, dim) and weights.sum() == pytest.approx(1)
    assert weights @ np.prod(np.sin(np.pi * points), axis=1) == pytest.approx((2 / np.pi) ** dim, rel=1e-9)


@pytest.mark.parametrize(("dim", "most"), [(1, 8000), (2, 196**2), (3, 36**3)])
def test_validation_points_are_bounded(dim, most):
    points, weights = validation_points(dim, 1e-5)
    assert len(points) == most and weights.sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="positive"):
        validation_points(dim, 0.0)


def test_relative_errors_of_known_functions():
    points, weights = validation_points(2, 0.5)
    v, dv = points[:, 0], np.tile([1.0, 0.0], (len(points), 1))
    l2, h1 = relative_errors(v + 0.1, dv + np.array([0.0, 0.2]), v, dv, weights)
    assert l2 == pytest.approx(0.1 * 3**0.5) and h1 == pytest.approx(0.2)
    assert np.isnan(relative_errors(v, dv, 0 * v, 0 * dv, weights)).all()
