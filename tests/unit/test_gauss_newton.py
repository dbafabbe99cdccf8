import jax.numpy as jnp
import numpy as np
import pytest

from hpms.options.optimizer import GaussNewtonOptions
from hpms.training.state import TrainState, evaluate, run_chunk
from tests.problems import small_loss


def run(count, coupled=True, fresh=False, dtype="float64", state=None, trials=30, damping=1e-2, **options):
    theta, loss, coupling = small_loss(hard=False, coupled=coupled, fresh=fresh, dtype=dtype, even=True, **options)
    optimizer = GaussNewtonOptions(damping, 1e-12, trials).build(loss.model)
    if state is None:
        weights = jnp.ones(len(loss.names), dtype)
        state = TrainState(theta, optimizer.init(theta), weights, jnp.array(0))
    taus = jnp.ones_like(state.weights)
    after, report = run_chunk(loss, optimizer, taus, jnp.zeros((), dtype), state, coupling, jnp.array(count))
    return loss, coupling, state, after, report


@pytest.mark.parametrize("fresh", [False, True], ids=["fixed", "fresh"])
def test_ten_steps_go_far(fresh):
    loss, coupling, before, after, _ = run(10, coupled=False, fresh=fresh)
    first, last = (evaluate(loss, s.theta, coupling).terms[0] for s in (before, after))
    assert last < 0.02 * first


def test_every_step_lowers_the_loss_and_adapts_the_damping():
    dampings, losses, state = [], [], None
    for _ in range(6):
        *_, state, report = run(1, coupled=False, state=state)
        losses.append(float(jnp.sum(report.terms)))
        dampings.append(float(state.optimizer.damping))
    assert (np.diff(losses) < 0).all()
    assert len(set(dampings)) == 6


def test_at_a_minimum_it_stalls_and_stays():
    *_, state, _ = run(60, coupled=False, interior=9)
    *_, after, report = run(400, coupled=False, interior=9, state=state)
    assert report.stalled
    assert jnp.sum(report.terms) < 1e-20
    *_, again, _ = run(1, coupled=False, interior=9, state=after)
    np.testing.assert_array_equal(again.theta, after.theta)
