"""What a Python program calls: `solve`, `configure`, `train`, `load` and `build`.

JAX's flags are set while one of these functions works, and are as they were before when it returns.
"""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from hpms.cli.compose import composed
from hpms.cli.hydra_errors import sentence
from hpms.config.config import Config, read_config
from hpms.config.registry import load_named, load_plugins
from hpms.errors import UserError
from hpms.experiment import Experiment, fine_problem
from hpms.experiment import build as build_experiment
from hpms.machine.runtime import flags
from hpms.posed.problem import Problem
from hpms.reload import config_here, reload
from hpms.results.metrics import columns
from hpms.results.place import given
from hpms.results.run import StoredRun
from hpms.runs import measure_in_time, train_runs
from hpms.size import check_size
from hpms.solution import Solution
from hpms.start import started
from hpms.training.loop import train as train_members
from hpms.training.snapshot import Snapshot


def solve(
    problem: Problem,
    method: str = "fast",
    *overrides: str,
    run_dir: str | Path | None = None,
    stop: Callable[[dict[str, Any]], bool] | None = None,
    plugins: tuple[str, ...] = (),
    config_dir: str | Path | None = None,
) -> Solution:
    """The network for a problem, by a method: `solve(problem, "fast", "training.iterations=60", "seed=1")`.

    **Arguments:** `method` is fast, small, paper or one of your own, `overrides` are keys and options as `hpms train`
    takes them; `plugins` and `config_dir` as in `configure`, `run_dir` and `stop` as in `train`. Raises `UserError` as
    `train` and `configure` do.
    """
    config = configure(f"+method={method}", *overrides, plugins=plugins, problem=problem, config_dir=config_dir)
    return train(config, run_dir, stop)


def configure(
    *overrides: str,
    plugins: tuple[str, ...] = (),
    problem: Problem | None = None,
    config_dir: str | Path | None = None,
) -> Config:
    """The configuration of `hpms train` with these overrides, such as `"+experiment=osc1d"`, `"problem.eps=1/15"`.

    **Arguments:** `plugins` are modules that register options, beside those that a file names; a `problem` takes the
    place of the groups problem, coefficient, source and law; `config_dir` is a folder with files of your own, as behind
    `--config-dir`. Raises `UserError` for what is not allowed.
    """
    load_plugins(plugins)
    try:
        if problem is not None:
            return problem.config(*overrides, config_dir=config_dir)
        values = composed("train", *overrides, beside=config_dir)
        load_named(values)
        return read_config(values)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(sentence(error, "train")) from None


def build(config: Config) -> Experiment:
    """Loss, initial parameters and coarse solver of a configuration; raises `UserError` as `hpms train` does."""
    config, start = started(config)
    with flags(config):
        problem = fine_problem(config)
        check_size(config, problem)
        return build_experiment(config, problem, start=start)


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
        config, start = started(config, [Path(run_dir)])
        directory = given(Path(run_dir), config)
        with flags(config):
            (ended,) = train_runs(config, 1, lambda _: directory, "custom", "give a new run_dir to start anew", start)
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


def load(
    run_dir: str | Path, checkpoint: str = "best", problem: Problem | None = None, plugins: tuple[str, ...] = ()
) -> Solution:
    """The network of a run's checkpoint `best` or `latest`.

    **Arguments:** a run whose problem has functions of Python needs the `problem`, or the modules that have them, as
    `plugins`, where this process has not solved it. Raises `UserError` where there is no such checkpoint, and where a
    function is not at hand or has changed.
    """
    load_plugins(plugins)
    stored = StoredRun.at(run_dir)
    config = config_here(stored)
    with flags(config):
        if problem is not None:
            problem.remember()
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
