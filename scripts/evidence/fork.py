"""`fork.py RUN RESULTS NAME ITERATIONS [key=value ...]`: goes on from a run's last checkpoint with other keys.

A run can't do that itself: with other keys it is another run. Give the run's own keys, too. The history is written to
RESULTS/NAME.csv, from the checkpoint to step ITERATIONS. The keys may change what a coupled run with one K̃ is trained
with, not the network or its points; the optimizer's state, the weights and the coarse state are the run's.
"""

import csv
import dataclasses
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from hpms.cli.compose import composed
from hpms.config.config import Config, read_config
from hpms.experiment import build, fine_problem
from hpms.machine.runtime import flags
from hpms.results.run import StoredRun
from hpms.runs import measure_in_time
from hpms.training.loop import train
from hpms.training.snapshot import Snapshot

_COLUMNS = ("iteration", "residual", "coupling", "weight_coupling", "gradient_norm_residual", "gradient_norm_coupling")
_COLUMNS += ("adjoint_share", "upscaled_coefficient", "coarse_updates", "relative_l2")


class _Rows:
    """A `Recorder` that writes the columns."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(_COLUMNS)

    def advance(self, iteration: int) -> None:
        pass

    def log(self, row: dict[str, Any]) -> None:
        found = row | {"upscaled_coefficient": row["upscaled_coefficient"][0][0]}
        self._writer.writerow([found["iteration"], *(f"{found[key]:.5g}" for key in _COLUMNS[1:])])
        self._file.flush()

    def save(self, snapshot: Snapshot) -> None:
        pass


def snapshot(stored: StoredRun, config: Config) -> Snapshot:
    """The checkpoint, in the precision of its own run."""
    with flags(stored.config()):
        built = build(stored.config(), fine_problem(config), stored.points, stored.fixed)
        return stored.snapshot(built.trainer(None).start(built.theta), "give another run")


def main() -> None:
    """Writes RESULTS/NAME.csv."""
    run, results, name, iterations, *keys = sys.argv[1:]
    stored = StoredRun.at(run)
    config = read_config(composed("train", f"+experiment={stored.experiment}", *keys))
    training = dataclasses.replace(config.training, iterations=int(iterations))
    config = dataclasses.replace(config, training=training, seed=stored.config().seed)
    start = snapshot(stored, config)
    with flags(config):
        problem, dtype = fine_problem(config), config.runtime.dtype
        stored.check_medium(problem, "give the run's own keys, too")
        fixed = {key: a.astype(dtype) if a.dtype.kind == "f" else a for key, a in stored.fixed.items()}
        built = build(config, problem, stored.points, fixed)
        measured = measure_in_time(config, problem)
        trainer = built.trainer(measured.validation(config.runtime.block_size()))
        like = trainer.start(built.theta).state
        state = jax.tree.map(lambda mine, wanted: jnp.asarray(mine, wanted.dtype), start.state, like)
        rows = _Rows(Path(results) / f"{name}.csv")
        (outcome,) = train([trainer], [dataclasses.replace(start, state=state)], [rows], lambda: None)
    print(f"{name}: {outcome.status} at step {outcome.snapshot.iteration}: {outcome.reason}")


if __name__ == "__main__":
    main()
