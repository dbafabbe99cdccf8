"""What the rows of a coupling cost: a least-squares step with it against the same step without.

    python scripts/benchmark/coupling_step.py [--rounds 9] [--couplings galerkin consistent_small] [--set KEY=VALUE ...]

On osc2d_small, or what `--set` makes of it, from the first state of training whose first trial is accepted, so that a
step factorises once. All are timed in turn in one process; ratios are medians over the rounds, with quartiles.
"""

import argparse
import platform
import time
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import hpms
from hpms.experiment import build, fine_problem
from hpms.machine.runtime import device_name
from hpms.training.state import TrainState, run_chunk

_SEARCH = 60


def stepper(coupling: str, overrides: list[str]) -> tuple[Callable[[], TrainState], str]:
    """A step that factorises once, and the sizes that it has."""
    own = [each for each in overrides if coupling != "none" or not each.startswith("coupling.")]
    config = hpms.configure("+experiment=osc2d_small", f"coupling={coupling}", *own)
    config.runtime.setup("auto")
    built = build(config, fine_problem(config))
    optimizer, taus = config.optimizer.build(built.loss.model), jnp.asarray(built.taus)
    view = built.solver and built.solver.view(built.solver.initial())

    def step(state: TrainState) -> TrainState:
        after, _ = run_chunk(built.loss, optimizer, taus, jnp.zeros(()), state, view, jnp.ones((), jnp.int32))
        return jax.block_until_ready(after)

    state, count = built.trainer(None).start(built.theta).state, built.loss.count
    for _ in range(_SEARCH):
        after = step(state)
        if int(after.optimizer.factorisations) == 1:
            nodes = 0 if built.loss.coupling is None else built.loss.coupling.nodes.count
            return partial(step, state), f"{built.theta.size} parameters, {count} rows, {nodes} nodes of the coupling"
        state = after
    raise SystemExit(f"none of {_SEARCH} steps had one factorisation")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--couplings", nargs="+", default=["galerkin", "consistent_small"])
    parser.add_argument("--set", nargs="*", default=[])
    options = parser.parse_args()
    cases = {name: stepper(name, options.set) for name in ("none", *options.couplings)}
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(options.rounds):
        for name, (step, _) in cases.items():
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    print(f"jax {jax.__version__}, {device_name()}, {platform.machine()}, median of {options.rounds} rounds")
    base = np.array(times["none"])
    for name, seconds in times.items():
        low, middle, high = np.quantile(np.array(seconds) / base, [0.25, 0.5, 0.75])
        spent = f"{1e3 * np.median(seconds):6.0f} ms   {middle:.2f} x ({low:.2f}-{high:.2f})"
        print(f"{name:18} {spent}   {cases[name][1]}")


if __name__ == "__main__":
    main()
