"""`hpms train`: Algorithm 3.1, one run."""

import logging
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from hpms.config import TrainInvocation, read_command
from hpms.experiment import Experiment, build, fine_problem, fingerprint
from hpms.measure import Measure, measure
from hpms.results.lock import locked
from hpms.results.place import run_directory
from hpms.results.progress import TrainingProgress
from hpms.results.recorder import RunRecorder
from hpms.results.report import report
from hpms.results.run import FILE, Fixture, StoredRun
from hpms.runtime import provenance
from hpms.training.interrupt import Interrupt, interruptible
from hpms.training.loop import FINISHED, INTERRUPTED, NAN, Outcome
from hpms.training.snapshot import Snapshot

log = logging.getLogger(__name__)


def run(values: dict[str, Any], experiment: str) -> int:
    """Trains, continues or finds finished the run of this configuration; the exit code."""
    invocation, config = read_command(values, TrainInvocation)
    config.runtime.setup()
    directory = run_directory(config, invocation, experiment)
    stored = _stored(directory)
    problem = fine_problem(config)
    medium = fingerprint(problem)
    if stored:
        stored.check_medium(medium)
        if stored.status in (FINISHED, NAN):
            return _already(stored, directory)
    built = build(config, problem, stored and stored.points, stored and stored.fixed)
    measured = measure(config, built.problem)
    with locked(directory):
        stored = _stored(directory)
        if stored and stored.status in (FINISHED, NAN):
            return _already(stored, directory)
        fixture = Fixture(config, experiment, built.points, built.fixed, built.space.nodes, measured.summary(), medium)
        with interruptible() as interrupt:
            outcome = _train(built, measured, directory, fixture, interrupt)
    print(report(StoredRun(directory).summary, config))
    print(f"{outcome.status}: {outcome.reason}")
    if outcome.status == INTERRUPTED:
        log.info("The same command continues this run.")
    print(directory / FILE)
    if outcome.status == NAN:
        return 1
    return 128 + interrupt.signal if interrupt.signal and outcome.status == INTERRUPTED else 0


def _stored(directory: Path) -> StoredRun | None:
    return StoredRun(directory) if (directory / FILE).exists() else None


def _already(stored: StoredRun, directory: Path) -> int:
    print(report(stored.summary, stored.config()))
    print(f"This run is {stored.status} already ({stored.summary['reason']}); force=true starts anew in a new place.")
    print(directory / FILE)
    return 0 if stored.status == FINISHED else 1


def _train(built: Experiment, measured: Measure, directory: Path, fixture: Fixture, interrupt: Interrupt) -> Outcome:
    stored, limits = _stored(directory), built.config.training
    trainer = built.trainer(measured.validation(built.config.runtime.block_size()))
    snapshot = trainer.start(built.theta)
    if stored:
        snapshot = stored.snapshot(snapshot)
        log.info("%s: continues at iteration %d", directory, snapshot.iteration)
    sessions = [*(stored.sessions if stored else []), provenance()]
    with TrainingProgress(limits.iterations, snapshot.iteration) as progress:
        recorder = RunRecorder(directory, fixture, sessions, stored.rows if stored else [], progress)
        try:
            outcome = trainer.run(snapshot, recorder, lambda: _reason(interrupt))
            recorder.end(outcome, _fields(built, measured, outcome.snapshot))
        except Exception as error:
            recorder.fail(f"{type(error).__name__}: {error}")
            raise
    return outcome


def _fields(built: Experiment, measured: Measure, snapshot: Snapshot) -> dict[str, np.ndarray]:
    """The network of the best iteration at the validation points, beside the reference."""
    if snapshot.best is None:
        return {}
    return measured.fields(built, jnp.asarray(snapshot.best.theta), built.config.runtime.block_size())


def _reason(interrupt: Interrupt) -> str | None:
    return f"stopped by {interrupt.signal.name}" if interrupt.signal else None
