"""The series of layered media: Floquet solutions, its two ways of evaluation, integrals, invariances, the cache."""

import numpy as np
import pytest

from hpms.errors import UserError
from hpms.fem.fine.layered.across import odd_numbers, saturation
from hpms.fem.fine.layered.decaying import Decaying
from hpms.fem.fine.layered.integrals import along_rule
from hpms.fem.fine.layered.method import Layered
from hpms.fem.fine.layered.period import Period, gauss_points
from hpms.fem.fine.meshes import layered_nodes
from hpms.fem.fine.method import choose
from hpms.fem.fine.reference import reference
from hpms.fem.fine.solve import solve_homogeneous
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.rules import tensor


def medium(period, scale=1.0):
    return lambda x: scale * (2 + np.sin(2 * np.pi * x[:, 0] / period))


def source(x):
    return np.full(len(x), 3.0)


def nothing(x):
    return np.zeros(len(x))


def solved(dim, period, n=64, coefficient=None, q=source):
    return Layered(dim, period).solve(n, coefficient or medium(period), q)


def test_a_constant_medium_decays_like_an_exponential():
    period, lambdas = 0.2, np.pi**2 * np.array([1e-6, 1.0, 9.0, 1e4])
    decaying = Decaying(Period(period, np.full(12 * 32, 3.0)), lambdas)
    x = np.linspace(0, 0.999, 200)
    value, slope = decaying.along(x, slice(None))
    exact = np.exp(-np.sqrt(lambdas) * x[:, None])
    np.testing.assert_allclose(value, exact, atol=1e-9)
    np.testing.assert_allclose(slope, -np.sqrt(lambdas) * exact, atol=1e-4)
    np.testing.assert_allclose(decaying.theta[:3], np.sqrt(lambdas[:3]) * period, rtol=1e-9)


@pytest.mark.parametrize("period", [1e-4, 0.1])
def test_decaying_solutions_join_at_the_ends_of_periods(period):
    values = 2 + np.sin(2 * np.pi * gauss_points(period, 16) / period)
    decaying, node = Decaying(Period(period, values), np.pi**2 * np.array([1.0, 25.0])), 3 * period
    before, after = (decaying.along(np.array([node + s * 1e-9 * period]), slice(None)) for s in (-1, 1))
    for low, high in zip(before, after, strict=True):
        np.testing.assert_allclose(low, high, rtol=1e-6)
    assert (decaying.theta > 0).all() and (np.diff(decaying.theta) > 0).all()


@pytest.mark.parametrize("dim", [2, 3])
def test_the_cross_section_solves_its_equation(dim):
    points = np.random.default_rng(0).random((30, dim - 1)) * 0.8 + 0.1
    mu, step = np.array([0.0, 50.0]), 1e-4
    value, gradient = saturation(points, mu, 400.0)
    laplacian = np.zeros_like(value)
    for axis in range(dim - 1):
        shift = step * np.eye(dim - 1)[axis]
        low, high = saturation(points - shift, mu, 400.0), saturation(points + shift, mu, 400.0)
        np.testing.assert_allclose((high[0] - low[0]) / (2 * step), gradient[axis], atol=1e-6)
        laplacian += (high[1][axis] - low[1][axis]) / (2 * step)
    np.testing.assert_allclose(-laplacian + mu * value, 1.0, atol=1e-5)


@pytest.mark.parametrize(("dim", "period"), [(2, 0.3), (2, 1e-3), (3, 0.3)])
def test_products_of_points_and_other_points_give_the_same(dim, period):
    field = solved(dim, period, n=32).lifted[0]
    axis = np.array([0.0, 0.1, 0.37, 0.5, 0.93, 1.0])
    grid = tensor(dim, axis, axis)[0]
    shuffled = np.random.default_rng(0).permutation(len(grid))
    value, slope = field.evaluate(grid)
    one_by_one = [
        field.evaluate(np.concatenate([point[None], np.random.default_rng(1).random((9, dim))])) for point in grid[::5]
    ]
    np.testing.assert_allclose(value[::5], [each[0][0] for each in one_by_one], atol=1e-13)
    np.testing.assert_allclose(slope[::5], [each[1][0] for each in one_by_one], atol=1e-10)
    np.testing.assert_allclose(field.values(grid[shuffled]), value[shuffled], atol=1e-14)
    with pytest.raises(ValueError, match="outside"):
        field.values(grid + 0.1)


@pytest.mark.parametrize(("dim", "period"), [(2, 0.25), (2, 0.3), (3, 0.4)])
def test_it_vanishes_on_the_boundary(dim, period):
    points = np.random.default_rng(0).random((600, dim))
    points[np.arange(600), np.arange(600) % dim] = np.arange(600) // dim % 2
    for field in solved(dim, period).lifted[:2]:
        size, bound = field.norms()[0], np.abs(field.values(points))
        across = (points[:, 1:] % 1 == 0).any(axis=1)
        assert bound[across].max() < 1e-12 * size
        assert (bound**2).mean() ** 0.5 < 5e-3 * size  # at x1 = 0 and 1, what the modes leave


@pytest.mark.parametrize(("dim", "period"), [(2, 0.25), (2, 0.3), (3, 0.4)])
def test_norms_are_those_of_its_values(dim, period):
    field = solved(dim, period).lifted[0]
    points, weights = (np.concatenate(each) for each in zip(*(_clustered(k) for k in range(20)), strict=True))
    grid, share = tensor(dim, points, weights)
    value, slope = field.evaluate(grid)
    found = (share @ value**2) ** 0.5, (share @ (slope**2).sum(axis=1)) ** 0.5
    np.testing.assert_allclose(field.norms(), found, rtol=2e-3)


def _clustered(k):
    """Gauss points on a panel of 20 that are narrow at 0 and 1."""
    points, weights = np.polynomial.legendre.leggauss(4)
    edges = 0.5 - 0.5 * np.cos(np.pi * np.arange(21) / 20)
    half = (edges[k + 1] - edges[k]) / 2
    return edges[k] + half * (points + 1), half * weights


def test_a_constant_medium_has_no_corrector():
    flat = solved(2, 0.25, coefficient=lambda x: np.full(len(x), 4.0))
    first, second = (field.norms() for field in flat.lifted)
    np.testing.assert_allclose(first, second, rtol=1e-12)
    np.testing.assert_allclose(flat.upscaled_coefficient, 4 * np.eye(2), atol=1e-12)
    elements = solve_homogeneous(LagrangeSpace(2, 60, 2), source, 4.0)
    np.testing.assert_allclose(first, elements.norms(), rtol=1e-5)
    state = Layered(2, 0.25).state(64, source, 4.0)
    np.testing.assert_allclose(state.norms(), first, rtol=1e-12)


def test_scaling_medium_and_source_changes_nothing():
    one = solved(2, 0.3)
    five = solved(2, 0.3, coefficient=medium(0.3, 5.0), q=lambda x: 5 * source(x))
    np.testing.assert_allclose(five.upscaled_coefficient, 5 * one.upscaled_coefficient, rtol=1e-11, atol=1e-11)
    for ours, theirs in zip(one.lifted, five.lifted, strict=True):
        np.testing.assert_allclose(ours.norms(), theirs.norms(), rtol=1e-10)


def test_without_a_source_the_second_solution_is_nothing_and_the_first_nearly_homogenised():
    period = 1e-3
    solution = solved(2, period, n=128, q=nothing)
    assert solution.lifted[1].norms() == (0.0, 0.0)
    first = solution.upscaled_coefficient
    assert 0 < first[0, 0] - 3**0.5 < period
    np.testing.assert_allclose(first[[0, 1, 1], [1, 0, 1]], [0, 0, 2], atol=1e-12)


def test_the_last_period_may_be_cut():
    whole, cut = (along_rule(Period(p, np.ones(12 * 8))) for p in (0.25, 0.3))
    assert (whole.whole, whole.rest.size, cut.whole) == (4, 0, 3)
    assert cut.rest_weights.sum() == pytest.approx(0.1) and cut.rest.min() > 0.9 and cut.rest.max() < 1
    assert whole.last.min() > 0.75


def test_modes_in_3d_are_those_that_matter():
    pairs = odd_numbers(3, 0.1, 99.0)
    assert (pairs % 2 == 1).all() and len(pairs) < 50 * 50 / 3
    assert {(1, 1), (1, 99), (99, 1)} <= set(map(tuple, pairs.tolist()))
    assert (np.diff((pairs**2).sum(axis=1)) >= 0).all()


def find(path, coefficient, dim=2, h=0.2 / 64, delta=0.2):
    return reference(
        dim, 0.2, coefficient, source, method="layered", h=h, periods=(0.2,) * dim, delta=delta, cache_dir=path, key="a"
    )


@pytest.mark.parametrize("dim", [2, pytest.param(3, marks=pytest.mark.thorough)])
def test_the_second_reference_comes_from_the_file(dim, tmp_path, monkeypatch):
    monkeypatch.setattr("hpms.fem.fine.layered.field.LayeredField.most_points", 20_000)
    first = find(tmp_path, medium(0.2), dim)
    second = find(tmp_path, nothing, dim)
    assert second.cached and not first.cached and second.method == "layered"
    points = np.random.default_rng(0).random((50, dim))
    for ours, theirs in zip(second.lifted, first.lifted, strict=True):
        for found, expected in zip(ours.evaluate(points), theirs.evaluate(points), strict=True):
            np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(second.coarse.values(points), first.coarse.values(points))
    assert second.h == first.h == pytest.approx(0.2 / 64) and second.unknowns == first.unknowns
    assert second.own_error_h1 == first.own_error_h1 < 2e-2
    assert (tmp_path / "a.h5").stat().st_size < 100_000
    other = find(tmp_path, nothing, dim, delta=0.4)
    assert other.consistency_gap != first.consistency_gap


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="periodic media"):
        choose("layered", 2)
    with pytest.raises(ValueError, match="periodic media"):
        choose("layered", 1, (0.1,))
    with pytest.raises(UserError, match=r"reference\.h=1e-06"):
        layered_nodes(0.1, 1e-6)
    assert layered_nodes(1e-3, None) == layered_nodes(0.1, None) < layered_nodes(1.0, None)
    with pytest.raises(UserError, match=r"K\(0\.\d+"):
        solved(2, 0.2, coefficient=lambda x: np.cos(x[:, 0] * 10 * np.pi))
