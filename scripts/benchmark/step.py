"""Time of one Adam step, interleaved: ours, through vmap(hessian), with a coupling, and all d lifted problems at once.

    python scripts/benchmark/step.py [--points 25000] [--block 2500] [--rounds 7] [--steps 3]

All variants run in one process, one after the other in each round; ratios are medians over the rounds. The baseline
is the same loss, blocks and optimizer; only the network's derivatives come from jax.grad and jax.hessian.
"""

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import hpms
from hpms.config.config import Config
from hpms.experiment import Experiment, build, fine_problem
from hpms.jet import Forms, Jet
from hpms.machine.runtime import device_name
from hpms.network.base import AbstractNetwork, Parametrised
from hpms.training.state import TrainState, evaluate, run_chunk


class HessianNetwork(AbstractNetwork):
    """The derivatives of a network as `vmap(hessian)` gives them."""

    network: AbstractNetwork

    def jet(self, x: Float[Array, "m d"], forms: Forms | None = None) -> Jet:
        def value(point: Array) -> Array:
            return self.network.jet(point[None]).value[0, 0]

        gradient = jax.vmap(jax.grad(value))(x)
        laplacian = jax.vmap(lambda point: jnp.trace(jax.hessian(value)(point)))(x)
        slopes = tuple(gradient[:, i : i + 1] for i in range(x.shape[1]))
        return Jet(jax.vmap(value)(x)[:, None], slopes, (laplacian[:, None],))


def configuration(points: int, block: int, network: str, coupling: str, upscaling: str = "isotropic") -> Config:
    overrides = ["+experiment=osc2d", f"network={network}", f"coupling={coupling}", f"upscaling={upscaling}"]
    overrides += [f"collocation.interior_points={points}", f"runtime.block={block}"]
    return hpms.configure(*overrides)


def stepper(built: Experiment, config: Config, model: Parametrised, steps: int) -> Callable[[], None]:
    """Runs `steps` Adam steps, with a coarse state where there is a coupling."""
    loss = eqx.tree_at(lambda loss: loss.model, built.loss, model)
    optimizer, theta = config.optimizer.build(model), built.theta
    dtype = theta.dtype
    weights = jnp.ones(len(loss.names), dtype)
    state = TrainState(theta, optimizer.init(theta), weights, jnp.zeros((), jnp.int32))
    view = None
    if built.solver is not None:
        record = built.solver.initial()
        found = evaluate(loss, theta, built.solver.view(record))
        view = built.solver.view(built.solver.update(record, replace(found, kappa=jnp.full(1, 2.8))))

    def step() -> None:
        taus, tolerance = jnp.asarray(built.taus, dtype), jnp.zeros((), dtype)
        count = jnp.asarray(steps, jnp.int32)
        jax.block_until_ready(run_chunk(loss, optimizer, taus, tolerance, state, view, count))

    return step


def variants(points: int, block: int, network: str, steps: int) -> dict[str, Callable[[], None]]:
    config = configuration(points, block, network, "none")
    config.runtime.setup()
    plain, hybrid_config = build(config, fine_problem(config)), configuration(points, block, network, "ball")
    hybrid, fast = build(hybrid_config, plain.problem), plain.loss.model
    lifted_config = configuration(points, block, network, "none", "tensor")
    lifted = build(lifted_config, fine_problem(lifted_config))
    slow = Parametrised(HessianNetwork(fast.frame), lambda theta: HessianNetwork(fast.unravel(theta)))
    return {
        "plain": stepper(plain, config, fast, steps),
        "all lifted problems": stepper(lifted, lifted_config, lifted.loss.model, steps),
        "hybrid, lazy": stepper(hybrid, hybrid_config, hybrid.loss.model, steps),
        "plain, vmap(hessian)": stepper(plain, config, slow, steps),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=25000)
    parser.add_argument("--block", type=int, default=2500)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    print(f"{options.points} points in blocks of {options.block}, 2-D, soft boundary, float32, jax {jax.__version__}")
    print(f"{device_name()}, {platform.machine()}, median of {options.rounds} rounds of {options.steps} steps")
    for network in ("mlp", "ms_pinn"):
        found = variants(options.points, options.block, network, options.steps)
        for step in found.values():
            step()
        times: dict[str, list[float]] = {name: [] for name in found}
        for _ in range(options.rounds):
            for name, step in found.items():
                start = time.perf_counter()
                step()
                times[name].append((time.perf_counter() - start) / options.steps)
        base = np.array(times["plain"])
        for name, seconds in times.items():
            ratio = np.median(np.array(seconds) / base)
            print(f"{network:8} {name:22} {1e3 * np.median(seconds):8.0f} ms a step   {ratio:6.3f} x plain")


if __name__ == "__main__":
    main()
