"""How far a training run is, for whoever watches it."""

import logging
import sys
import time
from types import TracebackType
from typing import Any

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

log = logging.getLogger(__name__)
_WEIGHTED = "weighted_"
_SECONDS = 5.0  # between two lines where there is no terminal


class TrainingProgress:
    """On a terminal: iterations, rate and remaining time, and below terms, the upscaled coefficient and error, on
    standard error.

    Elsewhere: a line every few seconds; with `-v` a line for each logged iteration, with `--quiet` nothing.
    """

    def __init__(self, total: int, done: int, symbol: str):
        columns = (BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
        self._progress = Progress(*columns, TimeRemainingColumn())
        self._task = self._progress.add_task("", total=total, completed=done, rate="compiling")
        self._state = Text(no_wrap=True, overflow="ellipsis")
        self._live = Live(
            Group(self._progress, self._state), console=Console(file=sys.stderr), transient=True, refresh_per_second=4
        )
        self._symbol, self._total, self._said, self._at = symbol, total, time.monotonic(), done

    def __enter__(self) -> "TrainingProgress":
        if sys.stderr.isatty() and log.isEnabledFor(logging.INFO) and not log.isEnabledFor(logging.DEBUG):
            self._live.start()
        else:
            log.info("compiling")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def advance(self, iteration: int) -> None:
        self._progress.update(self._task, completed=iteration)
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, rate=f"{speed:.1f} it/s" if speed else "")
        now = time.monotonic()
        if not self._live.is_started and now - self._said > _SECONDS and self._state.plain:
            rate = (iteration - self._at) / (now - self._said)
            log.info("iteration %d of %d  %s  %.3g it/s", iteration, self._total, self._state.plain, rate)
            self._said, self._at = now, iteration

    def log(self, row: dict[str, Any]) -> None:
        names = [key.removeprefix(_WEIGHTED) for key in row if key.startswith(_WEIGHTED)]
        terms = " ".join(f"{name} {row[name]:.1e}" for name in names)
        error = f"  L² error {row['relative_l2']:.1e}" if "relative_l2" in row else ""
        first = np.ravel(row.get("upscaled_coefficient", []))[:1]
        mean = f"  {self._symbol} {first[0]:.4f}" if first.size else ""
        self._state.plain = f"{terms}{mean}{error}"
        log.debug("iteration %d of %d  %s", row["iteration"], self._total, self._state.plain)
