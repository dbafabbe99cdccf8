import numpy as np
import pytest

from hpms.errors import UserError
from hpms.fem.coarse.box import BoxAverage, box_gap
from hpms.fem.field import LagrangeField
from hpms.fem.lagrange import LagrangeSpace
from hpms.fem.p1 import P1Space

SIDES = {1: [0.17], 2: [0.2, 0.11], 3: [0.3, 0.2, 0.25]}


def average(dim, hat=False, count=6):
    return BoxAverage(np.array(SIDES[dim]), np.full(dim, count), hat)


def means(box, function, h=0.21):
    space = P1Space(len(box.low), h, box.low, box.high)
    points, matrix = box.sampled(space)
    return space.nodes, matrix @ function(points)


@pytest.mark.parametrize("hat", [False, True], ids=["box", "hat"])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_the_inner_domain_is_where_boxes_fit(dim, hat):
    box = average(dim, hat)
    reach = (2 - 1 / 6 if hat else 1) * np.array(SIDES[dim]) / 2
    slack = box.low - reach
    assert (slack >= -1e-12).all() and (slack < np.array(SIDES[dim]) / 6).all()
    np.testing.assert_allclose(box.low, 1 - box.high, atol=1e-12)
    points, _ = box.sampled(P1Space(dim, 0.21, box.low, box.high))
    assert ((points > 0) & (points < 1)).all()
    if not hat:
        whole = BoxAverage(np.full(dim, 0.25), np.full(dim, 5))
        np.testing.assert_allclose(whole.low, 0.125, atol=1e-15)


@pytest.mark.parametrize("hat", [False, True], ids=["box", "hat"])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_linear_functions_are_averaged_exactly(dim, hat):
    slopes = np.arange(1.0, dim + 1)
    nodes, found = means(average(dim, hat), lambda x: 2 + x @ slopes)
    np.testing.assert_allclose(found, 2 + nodes @ slopes, rtol=1e-13)


@pytest.mark.parametrize("hat", [False, True], ids=["box", "hat"])
@pytest.mark.parametrize("harmonic", [1, 2, 5])
def test_whole_periods_have_no_mean(harmonic, hat):
    box = average(2, hat)
    for axis, side in enumerate(SIDES[2]):
        _, found = means(box, lambda x, a=axis, s=side: np.sin(2 * np.pi * harmonic * x[:, a] / s + 0.3))
        np.testing.assert_allclose(found, 0, atol=1e-13)
    _, aliased = means(box, lambda x: np.cos(2 * np.pi * 6 * (x[:, 0] - x[0, 0]) / SIDES[2][0]))
    np.testing.assert_allclose(aliased, 1)


def test_means_are_those_of_an_integral():
    box = BoxAverage(np.array([0.2, 0.1]), np.array([200, 200]))
    nodes, found = means(box, lambda x: np.sin(3 * x[:, 0]) * x[:, 1] ** 2)
    (x, y), (a, b) = nodes.T, (0.1, 0.05)
    first = (np.cos(3 * (x - a)) - np.cos(3 * (x + a))) / 3 / 0.2
    np.testing.assert_allclose(found, first * ((y + b) ** 3 - (y - b) ** 3) / 3 / 0.1, rtol=2e-5)


@pytest.mark.parametrize("largest", [10**6, 0], ids=["lattice", "around"])
@pytest.mark.parametrize("hat", [False, True], ids=["box", "hat"])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_the_mean_of_a_function_is_that_of_its_values(dim, hat, largest, monkeypatch):
    for name in ("_MOST_LATTICE", "_LARGEST_LATTICE"):
        monkeypatch.setattr(f"hpms.fem.coarse.box.{name}", largest)
    box = average(dim, hat)

    def function(x):
        return np.exp(x).prod(axis=1)

    nodes, expected = means(box, function)
    np.testing.assert_allclose(box.mean(function)(nodes), expected, rtol=1e-12)


def test_what_cannot_be_averaged_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        BoxAverage(np.array([0.99, 0.1]), np.array([4, 4]))
    with pytest.raises(ValueError, match="do not fit"):
        BoxAverage(np.array([0.6]), np.array([4]), hat=True)
    with pytest.raises(UserError, match="source must be finite"):
        average(1).mean(lambda x: np.where(x[:, 0] > 0.5, np.nan, 1.0))


@pytest.mark.parametrize("dim", [1, 2])
def test_the_means_of_a_homogeneous_medium_fulfil_its_equation(dim):
    """u solves -k Δu = q, whose q is linear, so that the means solve it too, up to interpolation and the mesh."""
    space, k = LagrangeSpace(dim, 64, 2), 1.7

    def u(x):
        return x[:, 0] ** 3 - x[:, -1] ** 2 + 1

    field = LagrangeField(space, u(space.nodes))
    found = box_gap(field, lambda x: -k * (6 * x[:, 0] - 2), k * np.eye(dim), average(dim, count=32), 1 / 64)
    wrong = box_gap(field, lambda x: -k * (6 * x[:, 0] - 1), k * np.eye(dim), average(dim, count=32), 1 / 64)
    assert found < 2e-5 < 1e-2 < wrong
    assert np.isnan(box_gap(field, lambda x: x[:, 0], -np.eye(dim), average(dim), 0.1))


def test_small_boxes_use_few_points_of_the_lattice():
    box = BoxAverage(np.full(2, 0.002), np.full(2, 4))
    points, matrix = box.sampled(space := P1Space(2, 0.1, box.low, box.high))
    assert len(points) <= (11 * 5) ** 2
    np.testing.assert_allclose(matrix @ points[:, 0], space.nodes[:, 0], atol=1e-14)
    np.testing.assert_allclose(matrix @ np.ones(len(points)), 1, rtol=1e-13)
