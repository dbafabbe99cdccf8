from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.coarse.p1 import P1Space
from hpms.coupling.hybrid import Hybrid
from hpms.coupling.upscaling import isotropic
from hpms.problem.collocation import collocate
from hpms.training.objective import Objective
from tests.problems import quick_filter_jit, small_network, small_problem

evaluate = quick_filter_jit(lambda objective, *arguments: objective.evaluate(*arguments))
gradient_of = quick_filter_jit(lambda objective, *arguments: objective.gradient(*arguments)[0])
residuals = quick_filter_jit(lambda objective, *arguments: objective.residuals(*arguments))
residuals_slope = quick_filter_jit(
    lambda objective, theta, state, direction: jax.jvp(lambda t: objective.residuals(t, state), (theta,), (direction,))[
        1
    ]
)
WEIGHTS = jnp.array([1e-5, 3.0])


def hybrid(dim, compress):
    """θ with K̃ > 0, an objective, and the map from θ to the coarse state that belongs to it."""
    problem, points = small_problem(dim, "90"), np.random.default_rng(0).random((60, dim))
    coupling, coarse = Hybrid(1.0, 0.45, compress, "every_step", 1, 0.0, "constant", 1, 1.0).build(
        P1Space(dim, 0.25), problem, points, jnp.dtype("float64")
    )
    theta, model = small_network("mlp", "tanh", dim, "float64", True, depth=1)
    collocation = collocate(problem, jnp.asarray(points), jnp.asarray(points[:3]), 60, theta.dtype)
    objective = Objective(model, collocation, coupling, ("residual", "coupling"), 1.0, 2.0 * dim)

    def state(theta):
        found = evaluate(objective, theta, None)
        upscaled = np.asarray(isotropic(found.mean_flux, dim))
        record = coarse.update(coarse.initial(), upscaled, np.asarray(found.means))
        assert record.active
        return coarse.state(record)

    return 0.3 * theta, objective, state


@pytest.mark.parametrize("compress", [False, True], ids=["nodal", "compressed"])
@pytest.mark.parametrize("dim", [1, 2])
def test_the_taylor_remainder_is_of_second_order_with_the_adjoint_part_alone(dim, compress):
    theta, objective, state = hybrid(dim, compress)
    direction = jnp.asarray(np.random.default_rng(1).normal(size=theta.shape))
    here = state(theta)
    without = replace(here, contraction=jnp.zeros_like(here.contraction))
    steps = 1e-4 * 0.5 ** np.arange(4)

    def cost(theta):
        return float(WEIGHTS @ evaluate(objective, theta, state(theta)).terms)

    def rates(gradient):
        slope, start = float(gradient @ direction), cost(theta)
        remainders = [abs(cost(theta + step * direction) - start - step * slope) for step in steps]
        return np.diff(np.log2(remainders))

    np.testing.assert_allclose(rates(gradient_of(objective, theta, WEIGHTS, here)), -2, atol=0.1)
    np.testing.assert_allclose(rates(gradient_of(objective, theta, WEIGHTS, without)), -1, atol=0.2)


@pytest.mark.parametrize("compress", [False, True], ids=["nodal", "compressed"])
@pytest.mark.parametrize("dim", [1, 2])
def test_the_linearised_rows_have_the_derivative_of_those_with_the_state_solved_anew(dim, compress):
    theta, objective, state = hybrid(dim, compress)
    direction = jnp.asarray(np.random.default_rng(1).normal(size=theta.shape))
    here, step = state(theta), 1e-6

    def rows(theta):
        return residuals(objective, theta, state(theta))["coupling"]

    found = residuals_slope(objective, theta, here, direction)["coupling"]
    expected = (rows(theta + step * direction) - rows(theta - step * direction)) / (2 * step)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
    frozen = residuals_slope(objective, theta, replace(here, sensitivity=0 * here.sensitivity), direction)
    assert np.abs(frozen["coupling"] - expected).max() > 1e-3 * np.abs(expected).max()
