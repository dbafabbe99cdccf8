"""What a run keeps between its iterations: the best one, the last good one, its seconds, the optimizer's curvature."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hpms
from hpms.machine.runtime import flags
from hpms.options.balancing import ConstantOptions
from hpms.options.training import TrainingOptions
from hpms.training.loop import train
from hpms.training.optimizer.adam import AdamOptimizer
from hpms.training.optimizer.decay import ExponentialDecay
from hpms.training.state import evaluate, run_chunk
from hpms.training.trainer import Trainer
from tests.cli.conftest import TINY
from tests.problems import small_loss


class Kept:
    """A recorder that keeps all that it hears."""

    def __init__(self):
        self.rows, self.snapshots = [], []

    def advance(self, iteration):
        pass

    def log(self, row):
        self.rows.append(row)

    def save(self, snapshot):
        self.snapshots.append(snapshot)


def trained(trainer, snapshot):
    kept = Kept()
    (outcome,) = train([trainer], [snapshot], [kept], lambda: None)
    return outcome, kept


def plain(rate, iterations, log_every, dtype="float32"):
    """A PINN's trainer and its start."""
    theta, loss, _ = small_loss(hard=False, coupled=False, dtype=dtype)
    limits = TrainingOptions(iterations, 0.0, None, None, log_every, 1000.0, None, 0, None)
    trainer = Trainer(loss, AdamOptimizer(rate), ConstantOptions(), None, None, limits, np.ones(2), lambda *_: None)
    return trainer, trainer.start(theta)


def test_the_best_iteration_is_the_logged_one_of_smallest_residual_and_stays_so_when_a_run_goes_on():
    rate = ExponentialDecay(0.3, 1.0, 1)
    trainer, start = plain(rate, 8, 1)
    first, kept = trained(trainer, start)
    residuals = [row["residual"] for row in kept.rows]
    best = first.snapshot.best
    assert best.iteration == np.argmin(residuals) < 8
    assert best.residual == min(residuals)
    assert evaluate(trainer.loss, jnp.asarray(best.theta), None).terms[0] == best.residual


def test_seconds_are_those_of_all_sessions():
    trainer, start = plain(ExponentialDecay(1e-3, 1.0, 1), 4, 2)
    outcome, kept = trained(trainer, replace(start, elapsed=1000.0, compiling=500.0))
    for row in kept.rows:
        assert 1000 < row["elapsed_seconds"] < outcome.snapshot.elapsed and row["compile_seconds"] > 500
    assert outcome.snapshot.compiling == kept.rows[-1]["compile_seconds"]


@pytest.mark.parametrize("response", [0, 1000], ids=["first of its chunk", "within a chunk"])
def test_a_step_that_breaks_leaves_the_last_state_with_a_finite_loss_and_gradient(response, monkeypatch):
    monkeypatch.setattr("hpms.training.loop._RESPONSE_SECONDS", response)
    trainer, start = plain(ExponentialDecay(1e-2, 1e4, 1), 100, 100)
    outcome, _ = trained(trainer, start)
    assert outcome.status == "nan"

    taus, tolerance = jnp.ones(2, "float32"), jnp.zeros((), "float32")

    def step(state):
        return run_chunk(trainer.loss, trainer.optimizer, taus, tolerance, state, None, jnp.array(1))

    state = outcome.snapshot.state
    assert state.iteration > 1
    after, report = step(state)
    assert report.finite and after.iteration == state.iteration + 1
    assert not step(after)[1].finite


@pytest.mark.thorough
def test_lbfgs_begins_with_the_steepest_descent_behind_each_coarse_update(monkeypatch):
    monkeypatch.setattr("hpms.training.loop._RESPONSE_SECONDS", 0)  # a chunk, and a checkpoint, to each iteration
    tiny = [key for key in TINY if not key.startswith(("balancing", "training", "coupling"))]
    tiny += ["balancing=none", "optimizer=lbfgs", "coupling.interval=3", "coupling.threshold=0"]
    tiny += ["training.iterations=5", "training.checkpoint_seconds=0", "runtime.precision=float64"]
    config = hpms.configure(*tiny)
    built = hpms.build(config)
    with flags(config):
        trainer = built.trainer(None)
        _, kept = trained(trainer, trainer.start(built.theta))
        taus, solver = jnp.asarray(built.taus), built.solver
        slope = jax.jit(lambda theta, view: jax.grad(built.loss.weighted(taus, view).value)(theta))
        steepest = []
        for here, there in zip(kept.snapshots, kept.snapshots[1:], strict=False):
            downhill = -slope(here.state.theta, solver.view(here.record))
            step = there.state.theta - here.state.theta
            if step @ downhill > (1 - 1e-9) * jnp.linalg.norm(step) * jnp.linalg.norm(downhill):
                steepest.append(here.iteration)
    assert kept.snapshots[-1].record.updates == 2
    assert steepest == [0, 3]
