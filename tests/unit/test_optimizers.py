"""What every optimizer of the registry promises."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.options.optimizer import (
    AdamOptions,
    AdamThenLbfgsOptions,
    GaussNewtonOptions,
    LbfgsOptions,
    SoapOptions,
    SpringOptions,
    SsbroydenOptions,
)
from hpms.training.optimizer.ssbroyden import _updated
from hpms.training.state import TrainState, evaluate, run_chunk
from tests.problems import quick_filter_jit, small_loss

# Each with how many steps are taken, and an upper bound of the part of the loss that they leave.
OPTIONS = {
    "adam": (AdamOptions(1e-2, 0.9, 1000), 60, 0.01),
    "soap": (SoapOptions(1e-2, 0.9, 1000, 0.95, 0.95, 10), 60, 0.02),
    "lbfgs": (LbfgsOptions(20, 20), 20, 0.005),
    "ssbroyden": (SsbroydenOptions(30), 20, 0.005),
    "gauss_newton": (GaussNewtonOptions(1e-2, 1e-12, 30), 5, 0.4),
    "spring": (SpringOptions(1e-3, 0.5), 12, 0.1),
    "adam_then_lbfgs": (AdamThenLbfgsOptions(10, 1e-2, 0.9, 1000, 20, 20), 20, 0.005),
}
optimizers = pytest.mark.parametrize("name", OPTIONS)


def start(name, dtype, coupled=True):
    theta, loss, coupling = small_loss(hard=False, coupled=coupled, dtype=dtype)
    options, count, _ = OPTIONS[name]
    optimizer = options.build(loss.model)
    weights = jnp.ones(len(loss.names), dtype)
    state = TrainState(theta, optimizer.init(theta), weights, jnp.array(0))

    def run(state, steps):
        taus = jnp.ones_like(state.weights)
        return run_chunk(loss, optimizer, taus, jnp.zeros((), dtype), state, coupling, jnp.array(steps))

    return loss, coupling, optimizer, state, count, run


@pytest.mark.thorough
@optimizers
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_it_lowers_the_loss_in_the_network_s_precision(name, dtype):
    loss, coupling, optimizer, state, count, run = start(name, dtype, coupled=False)
    after, report = run(state, count)
    first, last = (jnp.sum(evaluate(loss, s.theta, coupling).terms) for s in (state, after))
    assert last < OPTIONS[name][2] * first
    assert after.theta.dtype == dtype
    assert report.finite
    assert all(isinstance(value, int | float) for value in optimizer.metrics(after.optimizer, count).values())


@pytest.mark.thorough
@optimizers
def test_the_bits_do_not_depend_on_the_chunks_and_its_state_is_all_there_is(name):
    *_, state, count, run = start(name, "float64")
    whole, _ = run(state, count)
    part, _ = run(state, count // 2)
    leaves, structure = jax.tree.flatten(part)
    stored = jax.tree.unflatten(structure, [jnp.asarray(np.asarray(leaf)) for leaf in leaves])
    part, _ = run(stored, count - count // 2)
    for x, y in zip(jax.tree.leaves(part), jax.tree.leaves(whole), strict=True):
        np.testing.assert_array_equal(x, y)


def test_ssbroyden_s_matrix_fulfils_the_secant_equation():
    *_, state, _, _ = start("ssbroyden", "float64", coupled=False)
    rng, size = np.random.default_rng(0), state.theta.size
    root = np.eye(size) + 0.05 * rng.normal(size=(size, size))
    inverse = jnp.asarray(root @ root.T)
    before = eqx.tree_at(lambda s: (s.inverse, s.fresh), state.optimizer, (inverse, jnp.array(False)))
    gradient, length = jnp.asarray(rng.normal(size=size)), jnp.asarray(0.7)
    s = -length * before.inverse @ gradient
    y = jnp.linalg.solve(before.inverse, s) + 0.1 * inverse @ s
    after, updated = _updated(before, s, y, gradient, length)
    assert updated
    np.testing.assert_allclose(after @ y, s, rtol=1e-9, atol=1e-9 * float(jnp.abs(s).max()))
    np.testing.assert_allclose(after, after.T, atol=1e-12)
    assert np.linalg.eigvalsh(after).min() > 0
    kept, updated = _updated(before, s, -y, gradient, length)
    assert not updated
    np.testing.assert_array_equal(kept, before.inverse)


def test_spring_minimises_what_it_says():
    loss, coupling, optimizer, state, _, _ = start("spring", "float64", coupled=False)
    problem = loss.weighted(jnp.ones(len(loss.names)), coupling)
    kept = jnp.asarray(np.random.default_rng(0).normal(size=state.theta.size)) * 1e-3
    before = eqx.tree_at(lambda s: s.direction, state.optimizer, kept)
    _, after, _ = quick_filter_jit(optimizer.step)(state.theta, before, problem)
    rows, jacobian = quick_filter_jit(lambda problem, theta: (problem.rows(theta), jax.jacobian(problem.rows)(theta)))(
        problem, state.theta
    )
    scale = jnp.sqrt(1e-3 * jnp.sum(jacobian**2, axis=0))
    stacked = jnp.concatenate([jacobian, jnp.diag(scale)])
    expected = jnp.linalg.lstsq(stacked, jnp.concatenate([-rows, scale * 0.5 * kept]))[0]
    np.testing.assert_allclose(after.direction, expected, rtol=1e-6, atol=1e-9 * float(jnp.abs(expected).max()))
