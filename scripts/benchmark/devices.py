"""Time of a step on one CPU device that has all cores, on one that has a single core, and on a device for each core.

    python scripts/benchmark/devices.py [--points 25000] [--rounds 7] [--devices 2]

Each case is a process of its own, as JAX counts its devices only once; in each round they are timed in turn, one at a
time. The speed-up of n devices is that over one core; its n-th part is their efficiency. The seconds of CPU time that a
step takes do not depend on what else runs: their growth is what sharing costs.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

import hpms
from hpms.experiment import build, fine_problem
from hpms.machine.devices import on_all
from hpms.machine.runtime import device_name
from hpms.training.state import run_chunk

_STEPS = {"adam": ("optimizer=adam", "network=mlp"), "gauss_newton": ("optimizer=gauss_newton", "network=two_scale")}


@dataclass(frozen=True)
class Case:
    """A number of devices, and on which cores they are."""

    name: str
    devices: int
    cores: int

    def start(self, optimizer: str, points: int) -> subprocess.Popen[str]:
        """A process that takes a step for each line it reads, and answers with its seconds."""
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[: self.cores]))
        command = ["taskset", "-c", cores, sys.executable, __file__, "--work", optimizer]
        command += ["--points", str(points), "--devices", str(self.devices)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def work(optimizer: str, points: int, devices: int) -> None:
    """Answers each line of standard input with the seconds of one step, and those of CPU time."""
    overrides = [
        f"collocation.interior_points={points}",
        f"runtime.devices={devices}",
        "balancing=none",
        "coupling=none",
    ]
    config = hpms.configure("+experiment=osc2d", *_STEPS[optimizer], *overrides)
    config.runtime.setup()
    built = build(config, fine_problem(config))
    trainer = built.trainer(None)
    loss, state = on_all((built.loss, trainer.start(built.theta).state))
    dtype = built.theta.dtype

    def step() -> None:
        taus, tolerance = jnp.asarray(built.taus, dtype), jnp.zeros((), dtype)
        one = jnp.ones((), jnp.int32)
        jax.block_until_ready(run_chunk(loss, trainer.optimizer, taus, tolerance, state, None, one))

    step()
    print("ready", flush=True)
    for _ in sys.stdin:
        start, used = time.perf_counter(), time.process_time()
        step()
        print(time.perf_counter() - start, time.process_time() - used, flush=True)


def timed(worker: subprocess.Popen[str]) -> list[float]:
    """The seconds of one step of that process, and those of CPU time."""
    assert worker.stdin is not None and worker.stdout is not None
    worker.stdin.write("\n")
    worker.stdin.flush()
    return [float(part) for part in worker.stdout.readline().split()]


def compare(optimizer: str, points: int, rounds: int, devices: int) -> None:
    """Prints a line for each case, with medians over the rounds and of the ratios within each round."""
    cores = len(os.sched_getaffinity(0))
    cases = [Case("1 device, 1 core", 1, 1), Case(f"1 device, {cores} cores", 1, cores)]
    cases.append(Case(f"{devices} devices, {cores} cores", devices, cores))
    workers = [case.start(optimizer, points) for case in cases]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    found = np.array([[timed(worker) for worker in workers] for _ in range(rounds)])
    seconds, used = found[..., 0], found[..., 1]
    for worker in workers:
        worker.communicate()
    for case, own, cpu in zip(cases, seconds.T, np.median(used, axis=0), strict=True):
        speedup = np.median(seconds[:, 0] / own)
        low, high = np.quantile(seconds[:, 0] / own, [0.25, 0.75])
        row = f"{optimizer:12} {case.name:18} {1e3 * np.median(own):6.0f} ms a step ({1e3 * cpu:.0f} of CPU)"
        row += f"  speed-up {speedup:.2f} ({low:.2f}-{high:.2f})  efficiency {speedup / case.cores:4.0%}"
        print(row, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=25000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--work", choices=_STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options.work, options.points, options.devices)
    print(f"{options.points} points, 2-D, jax {jax.__version__}, {device_name()}, {options.rounds} rounds")
    for optimizer in _STEPS:
        compare(optimizer, options.points, options.rounds, options.devices)


if __name__ == "__main__":
    main()
