"""Listens to a training run and keeps `run.h5` and `metrics.jsonl` up to date."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hpms.errors import UserError, printable
from hpms.results.metrics import LOG, MetricsLog, Row
from hpms.results.progress import TrainingProgress
from hpms.results.run import FILE, Fixture, write_run
from hpms.results.valid import FAILED
from hpms.training.session import RUNNING, Outcome
from hpms.training.snapshot import Snapshot

_REASON_MOST = 2000  # characters


class RunRecorder:
    """A `Recorder` for one session of a run; `sessions` are the provenances of all so far, this one last."""

    def __init__(
        self,
        directory: Path,
        fixture: Fixture,
        sessions: list[dict[str, Any]],
        rows: list[Row],
        progress: TrainingProgress | None,
    ):
        self._path, self._fixture, self._sessions = directory / FILE, fixture, sessions
        self._metrics = MetricsLog(directory / LOG, rows)
        self._progress = progress
        self._saved: Snapshot | None = None

    def advance(self, iteration: int) -> None:
        if self._progress:
            self._progress.advance(iteration)

    def log(self, row: Row) -> None:
        self._metrics.append(row)
        if self._progress:
            self._progress.log(row)

    def save(self, snapshot: Snapshot) -> None:
        self._saved = snapshot
        self._write(snapshot, RUNNING, "", {})

    def end(self, outcome: Outcome, arrays: Mapping[str, np.ndarray], found: Mapping[str, Any]) -> None:
        """The last checkpoint, with the fields, and what was `found` of the network for the summary."""
        self._fixture = replace(self._fixture, reference={**self._fixture.reference, **found})
        self._write(outcome.snapshot, outcome.status, outcome.reason, arrays)
        self._saved = None
        self._metrics.close()

    def fail(self, reason: str) -> None:
        """Notes in the last checkpoint that the program broke, unless the run has ended before."""
        if self._saved is not None:
            self._metrics.cut(self._saved.iteration)
            with contextlib.suppress(UserError, OSError, ValueError):  # the disk may be what broke
                self._write(self._saved, FAILED, printable(reason)[:_REASON_MOST], {})
        self._metrics.close()

    def _write(self, snapshot: Snapshot, status: str, reason: str, arrays: Mapping[str, np.ndarray]) -> None:
        rows = self._metrics.rows
        write_run(self._path, self._fixture, self._sessions, rows, snapshot, status, reason, arrays)


class SilentRecorder:
    """A recorder that writes nothing: that of a process whose run another one records."""

    def advance(self, iteration: int) -> None:
        pass

    def log(self, row: Row) -> None:
        pass

    def save(self, snapshot: Snapshot) -> None:
        pass

    def end(self, outcome: Outcome, arrays: Mapping[str, np.ndarray], found: Mapping[str, Any]) -> None:
        pass

    def fail(self, reason: str) -> None:
        pass
