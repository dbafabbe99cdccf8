"""The worker of `peers.py` for hpms: steps in one compiled loop, `run_chunk`, as `hpms train` runs them."""

from typing import Any

import jax
import jax.numpy as jnp
from peers_worker import Peer, Problem, serve

import hpms
from hpms.experiment import build as build_experiment
from hpms.experiment import fine_problem
from hpms.machine.runtime import provenance
from hpms.network.base import parametrise
from hpms.network.layers import Layer
from hpms.network.mlp import Perceptron
from hpms.training.state import TrainState, evaluate, run_chunk


class Hpms:
    """τ₁ = 1/|∂Ω| makes the boundary term a mean, as it is elsewhere."""

    def __init__(self, problem: Problem) -> None:
        overrides = ["+experiment=osc2d", "network=mlp", "coupling=none", "boundary=soft", "boundary.tau1=1/4"]
        overrides += [f"problem.eps={problem.eps}", f"collocation.interior_points={len(problem.interior)}"]
        overrides += [f"collocation.boundary_points={problem.sides[..., 0].size}", "runtime.platform=cpu"]
        overrides += [f"optimizer.learning_rate={problem.learning_rate}", "optimizer.decay_rate=1"]
        config = hpms.configure(*overrides)
        config.runtime.setup()
        points = {"interior": problem.interior.astype(float), "boundary": problem.sides.reshape(-1, 2).astype(float)}
        built = build_experiment(config, fine_problem(config), points)
        layers = tuple(Layer(jnp.asarray(weight), jnp.asarray(bias)) for weight, bias in problem.layers)
        theta, _ = parametrise(Perceptron(layers, "tanh"))
        assert theta.shape == built.theta.shape
        self._objective = built.loss
        self._optimizer = config.optimizer.build(built.loss.model)
        self._taus = jnp.asarray(built.taus, theta.dtype)
        weights = jnp.ones_like(self._taus)
        self._state = TrainState(theta, self._optimizer.init(theta), weights, jnp.zeros((), jnp.int32))

    def loss(self) -> float:
        return float(self._taus @ evaluate(self._objective, self._state.theta, None).terms)

    def run(self, count: int) -> None:
        before = self._state.iteration
        tolerance, steps = jnp.zeros((), self._taus.dtype), jnp.asarray(count, jnp.int32)
        self._state, _ = run_chunk(self._objective, self._optimizer, self._taus, tolerance, self._state, None, steps)
        jax.block_until_ready(self._state)
        assert self._state.iteration == before + count, "the loop ended early"


def build(problem: Problem) -> Peer:
    return Hpms(problem)


def about() -> dict[str, Any]:
    found = provenance()
    return {key: found[key] for key in ("hpms", "jax", "commit", "device", "cpus")}


if __name__ == "__main__":
    serve(build, about)
