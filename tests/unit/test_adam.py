import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.training.optimizer.adam import AdamOptimizer
from hpms.training.optimizer.decay import ExponentialDecay
from hpms.training.state import TrainState, evaluate, run_chunk
from tests.problems import close, quick_filter_jit, small_loss

ADAM = AdamOptimizer(ExponentialDecay(1e-2, 0.5, 30))
gradient_of = quick_filter_jit(lambda loss, theta, weights, view: loss.weighted(weights, view).gradient(theta))


def start(dtype="float64", coupled=True):
    theta, loss, coupling = small_loss(hard=False, coupled=coupled, dtype=dtype)
    weights = jnp.ones(len(loss.names), dtype)
    return loss, coupling, TrainState(theta, ADAM.init(theta), weights, jnp.array(0))


def run(loss, coupling, state, count, tolerance=0.0):
    taus, dtype = jnp.ones_like(state.weights), state.theta.dtype
    return run_chunk(loss, ADAM, taus, jnp.array(tolerance, dtype), state, coupling, jnp.array(count))


def same(a, b):
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_steps_are_those_of_the_textbook():
    loss, coupling, state = start()
    theta, m, v = np.asarray(state.theta), 0, 0
    for t in range(1, 6):
        gradient, terms = gradient_of(loss, jnp.asarray(theta), state.weights, coupling)
        m, v = 0.9 * m + 0.1 * np.asarray(gradient), 0.999 * v + 0.001 * np.asarray(gradient) ** 2
        rate = 1e-2 * 0.5 ** ((t - 1) / 30)
        theta = theta - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        state, report = run(loss, coupling, state, 1)
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
    loss, coupling, state = start(coupled=coupled)
    after, report = run(loss, coupling, state, 0)
    same(after, state)
    assert report.finite
    assert not report.converged


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_bits_do_not_depend_on_the_chunks(dtype):
    loss, coupling, state = start(dtype)
    whole, _ = run(loss, coupling, state, 7)
    part, _ = run(loss, coupling, state, 3)
    part, _ = run(loss, coupling, part, 4)
    same(part, whole)
    assert whole.iteration == 7


def test_training_reduces_the_loss():
    loss, coupling, state = start(coupled=False)
    after, _ = run(loss, coupling, state, 200)
    before = evaluate(loss, state.theta, coupling).terms[0]
    assert evaluate(loss, after.theta, coupling).terms[0] < 0.1 * before


def test_a_converged_run_stops_before_the_step():
    loss, coupling, state = start()
    third, _ = run(loss, coupling, state, 3)
    fine = float(jnp.sum(evaluate(loss, third.theta, coupling).terms[:-1]))
    after, report = run(loss, coupling, state, 50, tolerance=fine * (1 + 1e-9))
    assert report.converged
    assert report.finite
    same(after, third)


def test_convergence_weighs_the_boundary_by_tau_alone():
    loss, coupling, state = start()
    terms = evaluate(loss, state.theta, coupling).terms
    taus, fine = jnp.array([1.0, 3.0, 100.0]), float(terms[0] + 3 * terms[1])
    state = TrainState(state.theta, state.optimizer, jnp.array([5.0, 7.0, 9.0]), state.iteration)
    for factor, converged in ((1 + 1e-9, True), (1 - 1e-9, False)):
        tolerance = jnp.array(fine * factor, "float64")
        _, report = run_chunk(loss, ADAM, taus, tolerance, state, coupling, jnp.array(1))
        assert bool(report.converged) is converged


def test_what_is_not_finite_keeps_the_state():
    loss, coupling, state = start()
    broken = TrainState(state.theta.at[3].set(jnp.inf), state.optimizer, state.weights, state.iteration)
    after, report = run(loss, coupling, broken, 5)
    assert not report.finite
    same(after, broken)


def test_a_run_that_diverges_keeps_its_last_good_state():
    loss, coupling, state = start()
    adam, schedule = state.optimizer
    state = TrainState(state.theta, (adam._replace(mu=adam.mu + 1e300), schedule), state.weights, state.iteration)
    first, _ = run(loss, coupling, state, 1)
    after, report = run(loss, coupling, state, 5)
    assert np.isfinite(first.theta).all()
    assert not report.finite
    assert after.iteration == 1
    same(after, first)
    same(report.good, state)


def test_moments_that_overflow_are_not_finite():
    loss, coupling, state = start("float32")
    heavy = TrainState(state.theta, state.optimizer, 1e25 * state.weights, state.iteration)
    after, report = run(loss, coupling, heavy, 1)
    assert not report.finite
    same(after, heavy)


@pytest.mark.parametrize(("dtype", "coupled"), [("float32", True), ("float64", True), ("float64", False)])
def test_a_step_works_under_strict_promotion(dtype, coupled):
    with jax.numpy_dtype_promotion("strict"):
        loss, coupling, state = start(dtype, coupled)
        after, report = eqx.filter_eval_shape(run, loss, coupling, state, 2)
    assert report.terms.dtype == jnp.dtype(dtype)
    assert [a.dtype for a in jax.tree.leaves(after)] == [a.dtype for a in jax.tree.leaves(state)]
