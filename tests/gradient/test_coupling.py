from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.coupling.handover import HandOverState
from hpms.coupling.upscaling import isotropic
from hpms.fem.p1 import P1Space
from hpms.options.coupling import ConsistentOptions, HybridOptions
from hpms.problem.collocation import collocate
from hpms.training.least_squares import LeastSquares, assemble
from hpms.training.objective import Objective
from tests.problems import close, quick_filter_jit, small_network, small_problem

evaluate = quick_filter_jit(lambda objective, *arguments: objective.evaluate(*arguments))
gradient_of = quick_filter_jit(lambda objective, *arguments: objective.gradient(*arguments)[0])
residuals = quick_filter_jit(lambda objective, *arguments: objective.residuals(*arguments))
residuals_slope = quick_filter_jit(
    lambda objective, theta, state, direction: jax.jvp(lambda t: objective.residuals(t, state), (theta,), (direction,))[
        1
    ]
)
WEIGHTS = jnp.array([1e-5, 3.0])


KINDS = ("nodal", "compressed", "consistent", "hat", "handed over")
OPTIONS = ("every_step", 1, 0.0)


def options(kind):
    if kind in ("nodal", "compressed"):
        return HybridOptions(1.0, 0.45, kind == "compressed", *OPTIONS, "constant", 1, 1.0)
    schedule = "hybrid_first" if kind == "handed over" else "constant"
    average = "hat" if kind == "hat" else "box"
    delta = 0.45 if kind == "handed over" else 0.3
    return ConsistentOptions(1.0, delta, 1, 4, average, *OPTIONS, schedule, 1, 1.0, 1)


def coupled(dim, kind):
    """θ with K̃ > 0, an objective, and the map from θ to the coarse state that belongs to it."""
    problem, points = small_problem(dim, "90"), np.random.default_rng(0).random((60, dim))
    space = P1Space(dim, 0.25 if kind in ("nodal", "compressed") else 0.15)
    coupling, coarse = options(kind).build(space, problem, points, 16, jnp.dtype("float64"))
    theta, model = small_network("mlp", "tanh", dim, "float64", True, depth=1)
    collocation = collocate(problem, jnp.asarray(points), jnp.asarray(points[:3]), 60, theta.dtype)
    objective = Objective(model, collocation, coupling, ("residual", "coupling"), 1.0, 2.0 * dim)

    def state(theta):
        found = evaluate(objective, theta, None)
        upscaled = np.asarray(isotropic(found.mean_flux, dim))
        record = coarse.update(coarse.stages()[-1], upscaled, np.asarray(found.means))
        assert record.updates == 1
        return coarse.state(record)

    return 0.3 * theta, objective, state


def without_coefficient(state):
    """The state as if y did not depend on K̃."""
    if isinstance(state, HandOverState):
        return replace(state, second=without_coefficient(state.second))
    return replace(state, contraction=0 * state.contraction, sensitivity=0 * state.sensitivity)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [1, 2])
def test_the_taylor_remainder_is_of_second_order_with_the_adjoint_part_alone(dim, kind):
    theta, objective, state = coupled(dim, kind)
    direction = jnp.asarray(np.random.default_rng(1).normal(size=theta.shape))
    here = state(theta)
    steps = 1e-4 * 0.5 ** np.arange(4)

    def cost(theta):
        return float(WEIGHTS @ evaluate(objective, theta, state(theta)).terms)

    def rates(gradient):
        slope, start = float(gradient @ direction), cost(theta)
        remainders = [abs(cost(theta + step * direction) - start - step * slope) for step in steps]
        return np.diff(np.log2(remainders))

    np.testing.assert_allclose(rates(gradient_of(objective, theta, WEIGHTS, here)), -2, atol=0.1)
    without = gradient_of(objective, theta, WEIGHTS, without_coefficient(here))
    np.testing.assert_allclose(rates(without), -1, atol=0.2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dim", [1, 2])
def test_the_linearised_rows_have_the_derivative_of_those_with_the_state_solved_anew(dim, kind):
    theta, objective, state = coupled(dim, kind)
    direction = jnp.asarray(np.random.default_rng(1).normal(size=theta.shape))
    here, step = state(theta), 1e-6

    def rows(theta):
        return residuals(objective, theta, state(theta))["coupling"]

    found = residuals_slope(objective, theta, here, direction)["coupling"]
    expected = (rows(theta + step * direction) - rows(theta - step * direction)) / (2 * step)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
    frozen = residuals_slope(objective, theta, without_coefficient(here), direction)
    assert np.abs(frozen["coupling"] - expected).max() > 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("kind", ["consistent", "handed over"])
def test_the_assembled_rows_are_those_of_autodiff(kind):
    theta, objective, state = coupled(1, kind)
    problem = LeastSquares(objective, WEIGHTS, state(theta))
    jacobian = jax.jacobian(problem.rows)(theta)
    assert len(jacobian) == problem.count()
    z = jnp.asarray(np.random.default_rng(0).normal(size=len(jacobian)))
    system = assemble(problem, theta)
    expected = np.linalg.solve(jacobian.T @ jacobian + 0.01 * np.diag(np.sum(jacobian**2, axis=0)), jacobian.T @ z)
    assert close(system.solve(system.factor(jnp.asarray(0.01)), z), expected, 1e-7)
