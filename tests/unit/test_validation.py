import jax.numpy as jnp
import numpy as np
import pytest

from hpms.fem.validation import relative_errors as expected_errors
from hpms.fem.validation import validation_points
from hpms.problem.sites import sites
from hpms.training.validation import fields, relative_errors, validation
from tests.problems import small_network


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("block", [7, 10**6])
def test_errors_are_those_of_the_quadrature_rule(dim, block):
    theta, model = small_network("mlp", "tanh", dim, "float64", True)
    points, weights = validation_points(dim, 0.5)
    u, du = np.prod(np.sin(np.pi * points), axis=1), np.cos(points)
    measure = validation(points, weights, u[:, None], du[:, None], block)
    v, dv = (np.asarray(a)[:, 0] for a in fields(model, theta, measure.sites))
    found = relative_errors(measure, model, theta)
    np.testing.assert_allclose([found.l2, found.h1], expected_errors(v, dv, u, du, weights), rtol=1e-12)
    assert found.named() == {"relative_l2": float(found.l2), "relative_h1": float(found.h1)}


def test_errors_of_several_outputs_are_those_of_each_and_of_all_together():
    theta, model = small_network("mlp", "tanh", 2, "float64", True, outputs=2)
    points, weights = validation_points(2, 0.5)
    u, du = np.stack([np.sin(points[:, 0]), points[:, 1] ** 2], 1), np.stack([np.cos(points), np.exp(points)], 1)
    found = relative_errors(measure := validation(points, weights, u, du, 100), model, theta)
    v, dv = (np.asarray(a) for a in fields(model, theta, measure.sites))
    each = np.array([expected_errors(v[:, i], dv[:, i], u[:, i], du[:, i], weights) for i in range(2)])
    np.testing.assert_allclose(np.stack([found.lifted_l2, found.lifted_h1], 1), each, rtol=1e-12)
    together = expected_errors(v, dv, u, du, weights)
    np.testing.assert_allclose([found.l2, found.h1], together, rtol=1e-12)
    assert found.named()["lifted_h1"] == pytest.approx(each[:, 1])


def test_a_network_has_no_error_against_itself():
    theta, model = small_network("ms_pinn", "sine", 1, "float64", True)
    points, weights = validation_points(1, 0.5)
    value, gradient = fields(model, theta, sites(jnp.asarray(points), 100, theta.dtype))
    measure = validation(points, weights, np.asarray(value), np.asarray(gradient), 10)
    found = relative_errors(measure, model, theta)
    assert max(float(found.l2), float(found.h1)) < 1e-12


@pytest.mark.parametrize("eps", [0.02, 0.01, 0.005, 0.001])
def test_few_points_per_period_still_integrate_oscillation_and_layers(eps):
    points, weights = validation_points(2, eps)
    assert weights.sum() == pytest.approx(1)
    wave = np.cos(2 * np.pi * points / eps)
    assert weights @ (1 + wave.prod(axis=1)) == pytest.approx(1, rel=2e-3)
    assert weights @ wave[:, 0] ** 2 == pytest.approx(0.5, rel=0.02)
    layer = np.exp(-np.minimum(points[:, 0], 1 - points[:, 0]) / eps) * wave[:, 1] ** 2
    assert weights @ layer == pytest.approx(eps, rel=0.03)
