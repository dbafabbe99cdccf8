"""What `test_devices.py` compares: the same numbers on one device, on several, and on one with other blocks.

python -m tests.cli.devices_worker FOLDER
"""

import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from hpms.cli import main as cli
from hpms.machine import runtime
from hpms.machine.devices import compiled
from hpms.training.jacobian import pullback, second_order
from hpms.training.least_squares import assemble
from tests.cli.conftest import TINY
from tests.problems import small_loss

CASES = {
    "parameter space": {"fresh": True, "hard": False},
    "residual space": {"dim": 2, "coupled": False, "interior": 9},
}

SHORT = ("training.iterations=4", "training.log_every=2", "coupling.interval=2", "balancing=none")
EXACT = (*(a for a in TINY if not a.startswith("balancing")), *SHORT, "runtime.precision=float64")
RUNS = {  # on how many devices, and how
    "members_apart": (2, (*EXACT, "optimizer=gauss_newton", "ensemble=2")),
    "points_apart": (2, (*EXACT, "coupling=consistent", "upscaling=tensor", "collocation=resampled", "ensemble=3")),
}


@compiled
def products(loss, theta, view):
    """Everything that a step is made of."""
    loss = loss.at(jnp.array(3)).weighted(jnp.ones(len(loss.names)), view)
    rows = loss.rows(theta)
    system = assemble(loss, theta, rows)
    factor = system.factor(jnp.asarray(0.1))
    step = {"step": system.solve(factor, jnp.sin(rows)), "step along the rows": system.solve_rows(factor)}
    if loss.coupling is None:
        return step
    return step | {
        "rows": rows,
        "gradient": loss.gradient(theta)[0],
        "pullback": pullback(loss, theta, jnp.sin(rows)),
        "second order": jnp.stack(second_order(loss, theta, jnp.cos(theta))),
    }


def numbers(block):
    """By case and name."""
    found = {}
    for case, options in CASES.items():
        theta, loss, view = small_loss(block=block, **options)
        here = products(loss, theta, view)
        found |= {f"{case}: {name}": np.asarray(value) for name, value in here.items()}
    return found


def train(arguments, output):
    """The exit code of `hpms train`."""
    sys.argv = ["hpms", "train", *arguments, f"output={output}"]
    try:
        cli.main()
    except SystemExit as stop:
        return stop.code or 0
    return 0


def main(folder):
    runtime.setup(None, 4, programs="auto")
    np.savez(Path(folder, "numbers.npz"), **numbers(16))
    for name, (count, arguments) in RUNS.items():
        assert train((*arguments, f"runtime.devices={count}"), Path(folder, name)) == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
