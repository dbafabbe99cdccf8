"""Upscaled stiffnesses against closed forms."""

import numpy as np
import pytest

from hpms.fem.elastic.upscaled import linear, means, periodic
from hpms.fem.fine.upscaled import Box


def laminate(points):
    """Layers across x₁."""
    x = 2 * np.pi * points[:, 0]
    return np.stack([1 + 0.5 * np.cos(x), 2 + np.sin(x)], axis=1)


def backus(dim):
    """C* of the laminate in closed form: Backus (1962); Milton, The Theory of Composites, Section 9.3."""
    lam, mu = laminate((np.arange(1000)[:, None] + 0.5) / 1000).T
    across = lam + 2 * mu
    first, ratio = 1 / (1 / across).mean(), (lam / across).mean()
    plane = (across - lam**2 / across).mean() + first * ratio**2
    beside = (lam - lam**2 / across).mean() + first * ratio**2
    shear, along = 2 / (1 / mu).mean(), 2 * mu.mean()
    if dim == 2:
        return np.array([[first, first * ratio, 0], [first * ratio, plane, 0], [0, 0, shear]])
    found = np.diag([first, plane, plane, along, shear, shear])
    found[0, 1] = found[0, 2] = found[1, 0] = found[2, 0] = first * ratio
    found[1, 2] = found[2, 1] = beside
    return found


@pytest.mark.parametrize(("dim", "n", "allowed"), [(2, 24, 1e-5), (3, 4, 1e-2)])
def test_the_stiffness_of_a_laminate_is_its_closed_form(dim, n, allowed):
    box = Box(np.zeros(dim), np.ones(dim), n)
    found, expected = periodic(laminate, box), backus(dim)
    np.testing.assert_allclose(found, expected, atol=allowed * expected.max())
    most, least = means(laminate, dim, None)
    assert np.linalg.eigvalsh(most - expected).min() > -1e-9 < np.linalg.eigvalsh(expected - least).min()
    assert dim == 3 or np.linalg.eigvalsh(linear(laminate, box) - found).min() > -1e-9


def test_a_uniform_body_keeps_its_stiffness_whatever_its_sides():
    moduli = lambda points: np.broadcast_to([1.5, 0.7], (len(points), 2))  # noqa: E731
    expected = [[2.9, 1.5, 0], [1.5, 2.9, 0], [0, 0, 1.4]]
    for way in (periodic, linear):
        np.testing.assert_allclose(way(moduli, Box(np.zeros(2), np.array([2.0, 1.0]), 2)), expected, atol=1e-10)
    for mean in means(moduli, 2, None):
        np.testing.assert_allclose(mean, expected, atol=1e-12)
