"""README's figure: the quickstart's solution, and its bound beside its error at every fifth step.

pip install matplotlib
python scripts/overview.py [docs/figures/overview.png]
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import hpms
from hpms.figures.style import BLUE, VERMILLION, WIDTH, drawing
from hpms.runs import measure_in_time
from hpms.solution import Solution, flags
from hpms.training.loop import train
from hpms.training.snapshot import Snapshot

_CHANGED = (
    "training.iterations=40",
    "training.accuracy=null",
    "training.log_every=5",
    "training.checkpoint_seconds=0",
    "reference.h=eps/90",
)
_POINTS = 301


class Kept:
    """A `Recorder` that keeps every checkpoint."""

    def __init__(self) -> None:
        self.found: dict[int, Snapshot] = {}

    def advance(self, iteration: int) -> None: ...

    def log(self, row: dict[str, Any]) -> None: ...

    def save(self, snapshot: Snapshot) -> None:
        self.found[snapshot.iteration] = snapshot


def trained() -> dict[int, Solution]:
    """The quickstart's network at every fifth step."""
    config, kept = hpms.configure("+experiment=quickstart", *_CHANGED), Kept()
    built = hpms.build(config)
    with flags(config):
        measured, trainer = measure_in_time(config, built.problem), built.trainer(None)
        (end,) = train([trainer], [trainer.start(built.theta)], [kept], lambda: None)
    kept.save(end.snapshot)
    first = Solution(built, built.theta, 0, measured, {}, end.status)
    return {
        n: replace(first, theta=kept.found[n].state.theta, iteration=n) for n in sorted(kept.found) if n and n % 5 == 0
    }


def energy_error(found: Solution) -> float:
    """Relative to the reference."""
    with flags(found.config):
        block = found.config.runtime.block_size()
        return found.measured.energy_error(found.built, found.theta, block)["relative_energy_error"]


def main() -> None:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/figures/overview.png")
    every = trained()
    bounds, errors = zip(*[(each.error_bound.relative, energy_error(each)) for each in every.values()], strict=True)
    for row in zip(every, bounds, errors, strict=True):
        print("{} steps: bound {:.3g}, error {:.3g}".format(*row))
    axis = np.linspace(0, 1, _POINTS)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    flux = np.linalg.norm(every[max(every)].flux(grid), axis=1).reshape(_POINTS, _POINTS).T
    with drawing():
        figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.7), layout="constrained", width_ratios=(1, 1.15))
        image = left.imshow(flux, origin="lower", extent=(0, 1, 0, 1))
        left.set(
            title="the network's flux |K∇w|", xlabel="$x_1$", ylabel="$x_2$", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1)
        )
        figure.colorbar(image, ax=left)
        right.semilogy(list(every), bounds, marker="v", color=VERMILLION, label="guaranteed bound, no reference")
        right.semilogy(list(every), errors, marker="o", color=BLUE, label="error against a reference")
        right.set(title="relative energy error", xlabel="Gauss-Newton step", xlim=(0, None))
        right.grid(alpha=0.3)
        right.legend(frameon=False)
        figure.savefig(path, dpi=150)
        plt.close(figure)


if __name__ == "__main__":
    main()
