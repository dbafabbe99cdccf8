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
    measure = validation(points, weights, u, du, block)
    v, dv = (np.asarray(a) for a in fields(model, theta, measure.sites))
    found = [float(e) for e in relative_errors(measure, model, theta)]
    np.testing.assert_allclose(found, expected_errors(v, dv, u, du, weights), rtol=1e-12)


def test_a_network_has_no_error_against_itself():
    theta, model = small_network("ms_pinn", "sine", 1, "float64", True)
    points, weights = validation_points(1, 0.5)
    value, gradient = fields(model, theta, sites(jnp.asarray(points), 100, theta.dtype))
    measure = validation(points, weights, np.asarray(value), np.asarray(gradient), 10)
    assert max(float(e) for e in relative_errors(measure, model, theta)) < 1e-12
