"""Time of one training step of hpms and of other PINN libraries on the same problem, interleaved, on the CPU.

    pip install matplotlib
    python scripts/benchmark/peers.py --install DIR [--rounds 15] [--steps 3] [--output outputs/benchmark/peers.md]
    python scripts/benchmark/peers.py --deepxde-torch PYTHON --deepxde-jax PYTHON --jinns PYTHON

A step is the loss on all points, its gradient and an Adam update, for osc2d with ε = 0.1 as a plain PINN: an MLP with
8 hidden layers of 64, 4,000 interior points, 400 boundary points, in float32. The loss is the mean of the squared
residual in its expanded form, -(K Δv + ∇K·∇v) - f, plus the mean of v² on the boundary.

Each library lives in an environment of its own; `--install` makes those in DIR, where they are not yet, and uses
them. Each variant is one process (`peers_*.py`, which say what exactly is timed) that waits for its turn: a round asks
all of them, one after the other, for some steps. Ratios are medians over the rounds. Before, all compute the loss at
the same weights, and again after the same number of steps; the benchmark fails where these differ.

pip takes the build of torch that its index offers; one for CUDA runs on the CPU here as well.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from peers_worker import Problem

PACKAGES = {
    "deepxde-torch": ["deepxde==1.15.0", "torch==2.13.0", "numpy==2.4.6"],
    "deepxde-jax": ["deepxde==1.15.0", "jax==0.10.2", "flax==0.12.8", "optax==0.2.8", "numpy==2.4.6"],
    "jinns": ["jinns==1.10.2", "jax==0.10.2", "equinox==0.13.8", "optax==0.2.8", "numpy==2.4.6"],
}
CPU = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Variant:
    """A worker script with its arguments, and the environment that runs it."""

    name: str
    environment: str
    command: tuple[str, ...]
    backend: str = ""


VARIANTS = [
    Variant("hpms", "hpms", ("peers_hpms.py",)),
    Variant("DeepXDE, PyTorch", "deepxde-torch", ("peers_deepxde.py", "reverse"), "pytorch"),
    Variant("DeepXDE, PyTorch, forward mode", "deepxde-torch", ("peers_deepxde.py", "forward"), "pytorch"),
    Variant("DeepXDE, JAX", "deepxde-jax", ("peers_deepxde.py", "reverse"), "jax"),
    Variant("DeepXDE, JAX, forward mode", "deepxde-jax", ("peers_deepxde.py", "forward"), "jax"),
    Variant("jinns", "jinns", ("peers_jinns.py",)),
]


def install(folder: Path) -> dict[str, str]:
    """Makes the environments and returns their interpreters."""
    found = {}
    for name, packages in PACKAGES.items():
        python = folder / name / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", folder / name], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        found[name] = str(python)
    return found


class Worker:
    """A variant's process, which answers commands; `about` says what it runs."""

    def __init__(self, variant: Variant, python: str, problem: str, log: IO[str]) -> None:
        script, *arguments = variant.command
        self.variant, self._log = variant, log.name
        self.process = subprocess.Popen(
            [python, str(Path(__file__).with_name(script)), problem, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **CPU, "DDE_BACKEND": variant.backend},
        )
        self.about: dict[str, Any] = self._reply()

    def ask(self, command: str) -> float:
        assert self.process.stdin is not None
        print(command, file=self.process.stdin, flush=True)
        return self._reply()

    def _reply(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the worker of {self.variant.name} ended; {self._log} says why.")
        return json.loads(line)


@dataclass(frozen=True)
class Result:
    """What a worker is, seconds per step in each round, and the relative differences of its losses from the first."""

    name: str
    about: Mapping[str, Any]
    seconds: np.ndarray
    differences: tuple[float, ...]


def foreign_seconds(workers: list[Worker]) -> float:
    """The CPU time that everything but the workers has spent on this machine so far (Linux)."""
    stats = [Path(f"/proc/{worker.process.pid}/stat").read_text() for worker in workers]
    own = sum(int(ticks) for stat in stats for ticks in stat.rpartition(")")[2].split()[11:13])
    user, nice, system, _, _, *interrupts_and_stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + sum(interrupts_and_stolen) - own) / os.sysconf("SC_CLK_TCK")


def measure(workers: list[Worker], rounds: int, steps: int) -> tuple[list[Result], float]:
    """Checks the losses, before and after an untimed round, then times. Exits where losses differ.

    The second result is the share of the machine that other processes used meanwhile.
    """
    losses = [[worker.ask("loss") for worker in workers]]
    for worker in workers:
        worker.ask(f"step {steps}")
    losses.append([worker.ask("loss") for worker in workers])
    differences = np.array([[loss / first[0] - 1 for loss in first] for first in losses]).T
    for worker, loss, difference in zip(workers, np.array(losses).T, differences, strict=True):
        numbers = f"loss {loss[0]:.6f}, after {steps} steps {loss[1]:.6f}"
        print(f"{worker.variant.name:30} {numbers}, relative differences {difference[0]:+.1e} {difference[1]:+.1e}")
    if not (np.abs(differences) < TOLERANCE).all():
        sys.exit(f"the losses differ by more than {TOLERANCE:g}: the workers do not compute the same.")
    start, foreign = time.perf_counter(), foreign_seconds(workers)
    seconds = [[worker.ask(f"step {steps}") / steps for worker in workers] for _ in range(rounds)]
    share = (foreign_seconds(workers) - foreign) / (time.perf_counter() - start) / (os.cpu_count() or 1)
    results = [
        Result(worker.variant.name, worker.about, times, tuple(difference))
        for worker, times, difference in zip(workers, np.array(seconds).T, differences, strict=True)
    ]
    return results, share


def table(results: list[Result], title: str) -> str:
    """Markdown; the quartiles are those of the ratios of single rounds."""
    lines = [title, "", "| library | versions | ms a step | × hpms | quartiles | loss, relative difference |"]
    lines += ["|---|---|--:|--:|--:|--:|"]
    for result in results:
        low, ratio, high = np.quantile(result.seconds / results[0].seconds, [0.25, 0.5, 0.75])
        versions = ", ".join(f"{k} {v}" for k, v in result.about.items() if k not in ("commit", "device", "cpus"))
        lines.append(
            f"| {result.name} | {versions} | {1e3 * np.median(result.seconds):.1f} | {ratio:.2f} "
            f"| {low:.2f}-{high:.2f} | {max(map(abs, result.differences)):.0e} |"
        )
    return "\n".join(lines) + "\n"


def plot(results: list[Result], title: str, path: Path) -> None:
    """Bars of the median time of a step, with the quartiles over the rounds."""
    from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]

    low, middle, high = np.quantile([1e3 * result.seconds for result in results], [0.25, 0.5, 0.75], axis=1)
    figure = Figure(figsize=(8, 0.55 * len(results) + 1.5), layout="constrained")
    axes = figure.subplots()
    colours = ["#0072B2", *["#E69F00"] * (len(results) - 1)]
    names = [result.name for result in results]
    axes.barh(names, middle, color=colours, xerr=[middle - low, high - middle], error_kw={"capsize": 3})
    for i, result in enumerate(results):
        ratio = np.median(result.seconds / results[0].seconds)
        axes.annotate(
            f"{middle[i]:.0f} ms, {ratio:.2f} ×", (high[i], i), (6, 0), textcoords="offset points", va="center"
        )
    axes.invert_yaxis()
    axes.set_xlim(0, 1.4 * max(high))
    axes.set_xlabel("ms a training step, median and quartiles; × hpms")
    axes.set_title(title, fontsize="small", loc="left", wrap=True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", type=Path, metavar="DIR")
    for name in PACKAGES:
        parser.add_argument(f"--{name}", metavar="PYTHON")
    parser.add_argument("--points", type=int, default=4000)
    parser.add_argument("--boundary", type=int, default=400, help="a multiple of 4")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("outputs/benchmark/peers.md"))
    options = parser.parse_args()
    if importlib.util.find_spec("matplotlib") is None:
        sys.exit("matplotlib, which draws the figure, is not installed: pip install matplotlib")
    if options.boundary % 4:
        parser.error("--boundary must be a multiple of 4")

    pythons = {"hpms": sys.executable} | (install(options.install) if options.install else {})
    given = {name: getattr(options, name.replace("-", "_")) for name in PACKAGES}
    pythons |= {name: python for name, python in given.items() if python}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    problem = Problem.random(0.1, options.points, options.boundary, [2, *[64] * 8, 1])
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        problem.save(file := str(Path(folder) / "problem.npz"))
        log = stack.enter_context(options.output.with_suffix(".log").open("w"))
        workers = []
        for variant in VARIANTS:
            if python := pythons.get(variant.environment):
                workers.append(Worker(variant, python, file, log))
                stack.enter_context(workers[-1].process)
        results, foreign = measure(workers, options.rounds, options.steps)
    about = results[0].about
    title = (
        f"{about['cpus']} cores of {about['device']}, {platform.machine()}, {foreign:.0%} used by others; "
        f"{options.points} + {options.boundary} points, median of {options.rounds} rounds of {options.steps} steps; "
        f"hpms at commit {about['commit'][:8] + about['commit'][40:] or 'unknown'}"
    )
    text = table(results, title)
    share = options.boundary / options.points
    text += f"\nDeepXDE evaluates the residual at the boundary points, too: {share:.0%} more points than the others.\n"
    if foreign > 0.05:
        text += "\nOthers computed here meanwhile, which slows PyTorch's threads most of all: not to be compared.\n"
    options.output.write_text(text)
    plot(results, title, options.output.with_suffix(".png"))
    print(f"\n{text}\n{options.output}")


if __name__ == "__main__":
    main()
