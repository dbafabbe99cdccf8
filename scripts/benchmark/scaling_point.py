"""The worker of `scaling.py`: memory and time of training steps of one configuration, as a line of JSON.

    python scripts/benchmark/scaling_point.py STEPS OVERRIDE...

Steps are those of `hpms train`, in its compiled loop, one at a time: one to compile, one untimed, then STEPS timed ones
without coupling. The peak is the resident memory of this process (on a GPU, that of the host).
"""

import json
import resource
import sys
import time
from typing import Any

import jax
import jax.numpy as jnp

import hpms
from hpms.experiment import build, fine_problem
from hpms.machine.runtime import provenance
from hpms.training.state import TrainState, run_chunk


def measure(steps: int, overrides: list[str]) -> dict[str, Any]:
    """Seconds of each step, P, and the peak of the memory at the start and at the end, in bytes."""
    config = hpms.configure(*overrides)
    config.runtime.setup()
    about = provenance()
    start = peak()
    built = build(config, fine_problem(config))
    theta, taus = built.theta, jnp.asarray(built.taus, built.theta.dtype)
    optimizer = config.optimizer.build(built.loss.model)
    state = TrainState(theta, optimizer.init(theta), jnp.ones_like(taus), jnp.zeros((), jnp.int32))
    seconds = []
    for count in [0, *[1] * (1 + steps)]:
        began = time.perf_counter()
        arguments = taus, jnp.zeros((), theta.dtype), state, None, jnp.asarray(count, jnp.int32)
        state, _ = jax.block_until_ready(run_chunk(built.loss, optimizer, *arguments))
        seconds.append(time.perf_counter() - began)
    if int(state.iteration) != 1 + steps:
        sys.exit(f"training ended after {int(state.iteration)} steps")
    about = {key: about[key] for key in ("started", "python", "hpms", "jax", "commit", "device", "cpus")}
    return {"parameters": theta.size, "seconds": seconds[2:], "start": start, "peak": peak(), "about": about}


def peak() -> int:
    """Bytes; Linux counts in KiB, macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2:])))
