"""What a Python program calls: `configure`, `train`, `load` and `build`.

JAX's flags are set while one of these functions works, and are as they were before when it returns.
"""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp

from hpms.cli.compose import composed
from hpms.config.config import Config, read_config
from hpms.config.registry import load_plugins
from hpms.errors import UserError
from hpms.experiment import Experiment, fine_problem
from hpms.experiment import build as build_experiment
from hpms.machine.runtime import flags
from hpms.reload import config_here, reload
from hpms.results.metrics import columns
from hpms.results.place import given
from hpms.results.run import StoredRun
from hpms.runs import measure_in_time, train_runs
from hpms.size import check_size
from hpms.solution import Solution
from hpms.training.loop import train as train_members
from hpms.training.snapshot import Snapshot


def configure(*overrides: str, plugins: tuple[str, ...] = ()) -> Config:
    """The configuration of `hpms train` with these overrides, such as `"+experiment=osc1d"`, `"problem.eps=1/15"`.

    **Arguments:** `plugins` are modules that register options. Raises `UserError` for what is not allowed, and
    Hydra's errors for keys and options that there are none of.
    """
    load_plugins(plugins)
    return read_config(composed("train", *overrides))


def build(config: Config) -> Experiment:
    """Loss, initial parameters and coarse solver of a configuration; raises `UserError` as `hpms train` does."""
    with flags(config):
        problem = fine_problem(config)
        check_size(config, problem)
        return build_experiment(config, problem)


def train(
    config: Config,
    run_dir: str | Path | None = None,
    stop: Callable[[dict[str, Any]], bool] | None = None,
) -> Solution:
    """The network of the logged iteration of smallest residual loss.

    **Arguments:** with a `run_dir` the run is written there as `hpms train run_dir=...` does, is continued if it was
    begun, and is only loaded if it has ended; a signal that ends it is raised again behind its checkpoint. Else it
    lives in memory, and ends soon after `stop(row)`, called once for each logged row, was true. Raises `UserError` as
    `hpms train` does, and where no residual loss was finite.
    """
    if run_dir is not None:
        if stop is not None:
            raise ValueError("a run in a directory ends by its own limits: leave out stop or run_dir")
        directory = given(Path(run_dir), config)
        with flags(config):
            (ended,) = train_runs(config, 1, lambda _: directory, "custom", "give a new run_dir to start anew")
        if ended.interrupt.signal is not None:
            signal.raise_signal(ended.interrupt.signal)  # the checkpoint is written; whoever is asked decides what ends
        with flags(config):
            return reload(StoredRun(directory), "best", config)
    built = build(config)
    with flags(config):
        measured = measure_in_time(config, built.problem)
        trainer = built.trainer(measured.validation(config.runtime.block_size()))
        rows = _Rows(stop)
        (outcome,) = train_members([trainer], [trainer.start(built.theta)], [rows], rows.reason)
        best = outcome.snapshot.best
        if best is None:
            raise UserError(f"training ended without a finite residual loss ({outcome.reason}).")
        return Solution(built, jnp.asarray(best.theta), best.iteration, measured, columns(rows.found), outcome.status)


def load(run_dir: str | Path, checkpoint: str = "best") -> Solution:
    """The network of a run's checkpoint `best` or `latest`; raises `UserError` where there is none."""
    stored = StoredRun.at(run_dir)
    config = config_here(stored)
    with flags(config):
        return reload(stored, checkpoint, config)


class _Rows:
    """A `Recorder` that keeps the rows in memory."""

    def __init__(self, stop: Callable[[dict[str, Any]], bool] | None):
        self.found: list[dict[str, Any]] = []
        self._stop, self._stopped = stop, False

    def advance(self, iteration: int) -> None:
        pass

    def log(self, row: dict[str, Any]) -> None:
        self.found.append(row)
        self._stopped = self._stopped or bool(self._stop and self._stop(row))

    def save(self, snapshot: Snapshot) -> None:
        pass

    def reason(self) -> str | None:
        return "stop(row) is true" if self._stopped else None
