"""The progress bar of a training run."""

import sys
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class TrainingProgress:
    """On a terminal: iterations, rate, remaining time, terms, K̃ and error, on standard error. Elsewhere: nothing."""

    def __init__(self, total: int, done: int):
        self._enabled = sys.stderr.isatty()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[state]}"),
            console=Console(file=sys.stderr),
            disable=not self._enabled,
            transient=True,
        )
        self._task = self._progress.add_task("train", total=total, completed=done, rate="compiling", state="")

    def __enter__(self) -> "TrainingProgress":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def advance(self, iteration: int) -> None:
        self._progress.update(self._task, completed=iteration)
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, rate=f"{speed:.1f} it/s" if speed else "")

    def log(self, row: dict[str, Any]) -> None:
        terms = " ".join(f"{name}={row[name]:.1e}" for name in ("residual", "boundary", "coupling") if name in row)
        state = f"{terms} K̃={row['upscaled_coefficient'][0][0]:.4f} L²={row['relative_l2']:.1e}"
        self._progress.update(self._task, state=state)
