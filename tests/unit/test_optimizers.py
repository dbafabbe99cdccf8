"""What every optimizer of the registry promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hpms.training.optimizer.adam import Adam
from hpms.training.optimizer.gauss_newton import GaussNewtonOptions
from hpms.training.optimizer.lbfgs import LbfgsOptions
from hpms.training.optimizer.sequence import AdamThenLbfgs
from hpms.training.optimizer.soap import SoapOptions
from hpms.training.optimizer.spring import SpringOptions
from hpms.training.optimizer.ssbroyden import SsbroydenOptions
from hpms.training.state import TrainState, evaluate, run_chunk
from tests.problems import small_objective

OPTIONS = {
    "adam": (Adam(1e-2, 0.9, 1000), 60),
    "soap": (SoapOptions(1e-2, 0.9, 1000, 0.95, 0.95, 10), 60),
    "lbfgs": (LbfgsOptions(20, 20), 20),
    "ssbroyden": (SsbroydenOptions(30), 20),
    "gauss_newton": (GaussNewtonOptions(1e-2, 1e-12, 30), 5),
    "spring": (SpringOptions(1e-3, 0.5), 5),
    "adam_then_lbfgs": (AdamThenLbfgs(10, 1e-2, 0.9, 1000, 20, 20), 20),
}
optimizers = pytest.mark.parametrize("name", OPTIONS)


def start(name, dtype, coupled=True):
    theta, objective, coupling = small_objective(hard=False, coupled=coupled, dtype=dtype)
    options, count = OPTIONS[name]
    optimizer = options.build(objective.model)
    weights = jnp.ones(len(objective.names), dtype)
    state = TrainState(theta, optimizer.init(theta), weights, jnp.array(0))

    def run(state, steps):
        taus = jnp.ones_like(state.weights)
        return run_chunk(objective, optimizer, taus, jnp.zeros((), dtype), state, coupling, jnp.array(steps))

    return objective, coupling, optimizer, state, count, run


@optimizers
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_lowers_the_loss_in_the_network_s_precision(name, dtype):
    objective, coupling, optimizer, state, count, run = start(name, dtype, coupled=False)
    after, report = run(state, count)
    first, last = (jnp.sum(evaluate(objective, s.theta, coupling).terms) for s in (state, after))
    assert last < 0.6 * first
    assert after.theta.dtype == dtype
    assert report.finite
    assert all(isinstance(value, int | float) for value in optimizer.metrics(after.optimizer, count).values())


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
