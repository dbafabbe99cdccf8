"""All that a run needs to go on, and what the loop tells whoever listens."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hpms.coupling.base import CoarseRecord
from hpms.training.state import TrainState


@dataclass(frozen=True)
class Best:
    """The logged iteration of smallest residual loss, and its parameters."""

    theta: np.ndarray
    iteration: int
    residual: float


@dataclass(frozen=True)
class Snapshot:
    """A run between two iterations; `record` is the coarse solver's, None without one, and `elapsed` and
    `compiling` are seconds over all its sessions.

    `fresh` says that not even what is due before the first iteration was done.
    """

    state: TrainState
    record: CoarseRecord | None
    best: Best | None
    elapsed: float
    compiling: float
    fresh: bool = False

    @property
    def iteration(self) -> int:
        return int(self.state.iteration)


@runtime_checkable
class Recorder(Protocol):
    """Listens to the loop."""

    def advance(self, iteration: int) -> None:
        """So many iterations are done."""

    def log(self, row: dict[str, Any]) -> None:
        """A row of metrics."""

    def save(self, snapshot: Snapshot) -> None:
        """A checkpoint is due."""
