"""Time of one Gauss-Newton step of osc2d_fast against that of its two products alone, BLAS's dsyrk and LAPACK's dpotrf.

    python scripts/benchmark/least_squares.py [--rounds 15] [--set KEY=VALUE ...]

All are timed in turn in one process; ratios are medians over the rounds. The step starts from the first state of
training whose first trial is accepted, so that it factorises once. Beside it: the same step by XLA's own products.
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
from scipy.linalg import get_blas_funcs, get_lapack_funcs

import hpms
from hpms.experiment import Experiment, build, fine_problem
from hpms.machine.runtime import device_name
from hpms.training import lapack
from hpms.training.state import TrainState, run_chunk

_SEARCH = 60
Step = Callable[[TrainState], TrainState]


def stepper(built: Experiment, chunk: Callable[..., Any]) -> Step:
    """One step from a state."""
    optimizer, taus = built.config.optimizer.build(built.loss.model), jnp.asarray(built.taus)

    def step(state: TrainState) -> TrainState:
        after, _ = chunk(built.loss, optimizer, taus, jnp.zeros(()), state, None, jnp.ones((), jnp.int32))
        return jax.block_until_ready(after)

    return step


def with_one_trial(step: Step, state: TrainState) -> TrainState:
    """The first state from `state` on whose step factorises once."""
    for _ in range(_SEARCH):
        after = step(state)
        if int(after.optimizer.factorisations) == 1:
            return state
        state = after
    raise SystemExit(f"none of {_SEARCH} steps had one factorisation")


def products(rows: int, size: int) -> Callable[[], None]:
    """J^T J of a J in R^(rows x size), and its Cholesky factor."""
    (dsyrk,) = get_blas_funcs(("syrk",), dtype=np.float64)
    (dpotrf,) = get_lapack_funcs(("potrf",), dtype=np.float64)
    jacobian = np.asfortranarray(np.random.default_rng(0).standard_normal((size, rows)))

    def both() -> None:
        gram = dsyrk(1.0, jacobian)
        gram[np.diag_indices(size)] *= 1.01
        _, info = dpotrf(gram, overwrite_a=1, clean=0)
        assert info == 0

    return both


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--set", nargs="*", default=[])
    options = parser.parse_args()
    config = hpms.configure("+experiment=osc2d_fast", *options.set)
    config.runtime.setup("auto")
    built = build(config, fine_problem(config))
    ours = stepper(built, run_chunk)
    state = with_one_trial(ours, built.trainer(None).start(built.theta).state)
    lapack.is_named = lambda: False
    traced_anew = run_chunk.__wrapped__  # pyright: ignore[reportFunctionMemberAccess]
    xla = stepper(built, eqx.filter_jit(lambda *arguments: traced_anew(*arguments)))
    xla(state)
    rows, size = built.loss.count, built.theta.size
    cases = {"dsyrk + dpotrf": products(rows, size), "step": lambda: ours(state), "step by XLA": lambda: xla(state)}
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(options.rounds):
        for name, case in cases.items():
            start = time.perf_counter()
            case()
            times[name].append(time.perf_counter() - start)
    print(f"{size} parameters, {rows} rows, float64, jax {jax.__version__}")
    print(f"{device_name()}, {platform.machine()}, median of {options.rounds} rounds")
    base = np.array(times["dsyrk + dpotrf"])
    for name, seconds in times.items():
        quarters = np.quantile(np.array(seconds) / base, [0.25, 0.5, 0.75])
        print(
            f"{name:16} {1e3 * np.median(seconds):6.0f} ms   {quarters[1]:.2f} x ({quarters[0]:.2f}-{quarters[2]:.2f})"
        )


if __name__ == "__main__":
    main()
