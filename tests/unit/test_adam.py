import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.training.optimizer.adam import AdamOptimizer
from hpms.training.optimizer.decay import ExponentialDecay
from hpms.training.state import TrainState, evaluate, run_chunk
from tests.problems import close, quick_filter_jit, small_objective

ADAM = AdamOptimizer(ExponentialDecay(1e-2, 0.5, 30))
gradient_of = quick_filter_jit(lambda objective, *arguments: objective.gradient(*arguments))


def start(dtype="float64", coupled=True):
    theta, objective, coupling = small_objective(hard=False, coupled=coupled, dtype=dtype)
    weights = jnp.ones(len(objective.names), dtype)
    return objective, coupling, TrainState(theta, ADAM.init(theta), weights, jnp.array(0))


def run(objective, coupling, state, count, tolerance=0.0):
    taus, dtype = jnp.ones_like(state.weights), state.theta.dtype
    return run_chunk(objective, ADAM, taus, jnp.array(tolerance, dtype), state, coupling, jnp.array(count))


def same(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_steps_are_those_of_the_textbook():
    objective, coupling, state = start()
    theta, m, v = np.asarray(state.theta), 0, 0
    for t in range(1, 6):
        gradient, terms = gradient_of(objective, jnp.asarray(theta), state.weights, coupling)
        m, v = 0.9 * m + 0.1 * np.asarray(gradient), 0.999 * v + 0.001 * np.asarray(gradient) ** 2
        rate = 1e-2 * 0.5 ** ((t - 1) / 30)
        theta = theta - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        state, report = run(objective, coupling, state, 1)
        assert close(state.theta, theta)
        assert close(report.terms, terms)
    assert state.iteration == 5


def test_the_rate_decays_as_configured():
    optimizer = AdamOptimizer(ExponentialDecay(1e-3, 0.75, 1000))
    assert optimizer.metrics(None, 0) == {"learning_rate": 1e-3}
    assert optimizer.metrics(None, 1000)["learning_rate"] == pytest.approx(0.75e-3, rel=1e-15)
    assert optimizer.metrics(None, 2500)["learning_rate"] == pytest.approx(1e-3 * 0.75**2.5, rel=1e-15)


@pytest.mark.parametrize("coupled", [True, False], ids=["coupled", "plain"])
def test_a_chunk_of_length_zero_changes_nothing(coupled):
    objective, coupling, state = start(coupled=coupled)
    after, report = run(objective, coupling, state, 0)
    same(after, state)
    assert report.finite
    assert not report.converged


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_do_not_depend_on_the_chunks(dtype):
    objective, coupling, state = start(dtype)
    whole, _ = run(objective, coupling, state, 7)
    part, _ = run(objective, coupling, state, 3)
    part, _ = run(objective, coupling, part, 4)
    same(part, whole)
    assert whole.iteration == 7


def test_training_reduces_the_loss():
    objective, coupling, state = start(coupled=False)
    after, _ = run(objective, coupling, state, 200)
    before = evaluate(objective, state.theta, coupling).terms[0]
    assert evaluate(objective, after.theta, coupling).terms[0] < 0.1 * before


def test_a_converged_run_stops_before_the_step():
    objective, coupling, state = start()
    third, _ = run(objective, coupling, state, 3)
    loss = float(jnp.sum(evaluate(objective, third.theta, coupling).terms[:-1]))
    after, report = run(objective, coupling, state, 50, tolerance=loss * (1 + 1e-9))
    assert report.converged
    assert report.finite
    same(after, third)


def test_convergence_weighs_the_boundary_by_tau_alone():
    objective, coupling, state = start()
    terms = evaluate(objective, state.theta, coupling).terms
    taus, loss = jnp.array([1.0, 3.0, 100.0]), float(terms[0] + 3 * terms[1])
    state = TrainState(state.theta, state.optimizer, jnp.array([5.0, 7.0, 9.0]), state.iteration)
    for factor, converged in ((1 + 1e-9, True), (1 - 1e-9, False)):
        tolerance = jnp.array(loss * factor, "float64")
        _, report = run_chunk(objective, ADAM, taus, tolerance, state, coupling, jnp.array(1))
        assert bool(report.converged) is converged


def test_what_is_not_finite_keeps_the_state():
    objective, coupling, state = start()
    broken = TrainState(state.theta.at[3].set(jnp.inf), state.optimizer, state.weights, state.iteration)
    after, report = run(objective, coupling, broken, 5)
    assert not report.finite
    same(after, broken)


def test_a_run_that_diverges_keeps_its_last_good_state():
    objective, coupling, state = start()
    adam, schedule = state.optimizer
    state = TrainState(state.theta, (adam._replace(mu=adam.mu + 1e300), schedule), state.weights, state.iteration)
    first, _ = run(objective, coupling, state, 1)
    after, report = run(objective, coupling, state, 5)
    assert np.isfinite(first.theta).all()
    assert not report.finite
    assert after.iteration == 1
    same(after, first)
    same(report.good, state)


def test_moments_that_overflow_are_not_finite():
    objective, coupling, state = start("float32")
    heavy = TrainState(state.theta, state.optimizer, 1e25 * state.weights, state.iteration)
    after, report = run(objective, coupling, heavy, 1)
    assert not report.finite
    same(after, heavy)


@pytest.mark.parametrize(("dtype", "coupled"), [("float32", True), ("float64", True), ("float64", False)])
def test_a_step_works_under_strict_promotion(dtype, coupled):
    with jax.numpy_dtype_promotion("strict"):
        objective, coupling, state = start(dtype, coupled)
        after, report = eqx.filter_eval_shape(run, objective, coupling, state, 2)
    assert report.terms.dtype == jnp.dtype(dtype)
    assert [a.dtype for a in jax.tree.leaves(after)] == [a.dtype for a in jax.tree.leaves(state)]
