"""What subdomains cost: steps with network=fbpinn against those of an MLP with as many parameters.

    python scripts/benchmark/subdomains.py [--points 2500] [--rounds 9] [--subdomains 2 4 8]

On osc2d with that many points, N = n² subdomains and no coarse level: a gradient of the loss in float32, as each step
of Adam takes one, and the damped normal equations of Gauss-Newton in float64, assembled, factorised and solved. Both
networks have two hidden layers. All are timed in turn in one process; ratios are medians over the rounds, with
quartiles.
"""

import argparse
import platform
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import hpms
from hpms.experiment import Experiment, build, fine_problem
from hpms.machine.runtime import device_name
from hpms.training.least_squares import assemble
from hpms.training.loss import Loss

_WIDTHS = {"gradient": 16, "normal equations": 4}  # of a perceptron on a subdomain
_PRECISIONS = {"gradient": "float32", "normal equations": "float64"}


def built(kind: str, points: int, network: list[str]) -> Experiment:
    plain = ["+experiment=osc2d", "coupling=none", "boundary=hard", "balancing=none", "reference=none"]
    sizes = [
        f"collocation.interior_points={points}",
        "runtime.block=500" if "equations" in kind else "runtime.block=2500",
    ]
    config = hpms.configure(*plain, *sizes, f"runtime.precision={_PRECISIONS[kind]}", "network.depth=2", *network)
    config.runtime.setup("auto")
    return build(config, fine_problem(config))


def as_many(parameters: int) -> int:
    """The width of an MLP of x in R² with two hidden layers and about so many parameters, w² + 5w + 1."""
    return round(-2.5 + (2.5**2 + parameters - 1) ** 0.5)


def stepper(kind: str, found: Experiment) -> Callable[[], None]:
    loss = found.loss.weighted(jnp.ones(1, found.theta.dtype), None)
    theta = jnp.asarray(np.random.default_rng(0).normal(size=found.theta.size) / 4, found.theta.dtype)

    step = eqx.filter_jit(normal_equations if "equations" in kind else gradient)
    return lambda: jax.block_until_ready(step(loss, theta))


def gradient(loss: Loss, theta: Array) -> Any:
    return loss.gradient(theta)


def normal_equations(loss: Loss, theta: Array) -> Any:
    system = assemble(loss, theta, loss.rows(theta))
    return system.solve_rows(system.factor(jnp.asarray(1e-3)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2500)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--subdomains", type=int, nargs="+", default=[2, 4, 8])
    options = parser.parse_args()
    print(f"{options.points} points in 2-D, jax {jax.__version__}, {device_name()}, {platform.machine()}")
    print(f"median of {options.rounds} rounds, ratios to the MLP with their quartiles")
    for kind, width in _WIDTHS.items():
        for n in options.subdomains:
            own = [f"network.subdomains=[{n}]", "network.coarse_subdomains=null", f"network.width={width}"]
            many = built(kind, options.points, ["network=fbpinn", *own])
            one = built(kind, options.points, ["network=mlp", f"network.width={as_many(many.theta.size)}"])
            steps, times = [stepper(kind, each) for each in (one, many)], []
            for step in steps:
                step()
            for _ in range(options.rounds):
                starts = [(time.perf_counter(), step())[0] for step in steps] + [time.perf_counter()]
                times.append(np.diff(starts))
            low, middle, high = np.quantile([b / a for a, b in times], [0.25, 0.5, 0.75])
            spent = " and ".join(f"{1e3 * each:.1f}" for each in np.median(times, axis=0))
            print(
                f"{kind:16}  N = {n * n:2}  P = {one.theta.size:5} and {many.theta.size:5}  {spent:>15} ms   "
                f"{middle:.2f} x ({low:.2f}-{high:.2f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
