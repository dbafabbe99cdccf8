"""Algorithm 3.1: compiled chunks of iterations, and between them each run's visit of the host."""

import time
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from hpms.machine.processes import decided
from hpms.training.ensemble import Ensemble
from hpms.training.session import Outcome, Session
from hpms.training.snapshot import Recorder, Snapshot
from hpms.training.state import ChunkReport, run_chunk
from hpms.training.trainer import Trainer

_RESPONSE_SECONDS = 0.5  # how long a chunk may keep Ctrl-C, the wall limit and the progress bar waiting
Advance = Callable[[Sequence[int]], list[ChunkReport]]


def train(
    trainers: Sequence[Trainer],
    snapshots: Sequence[Snapshot],
    recorders: Sequence[Recorder],
    interrupted: Callable[[], str | None],
) -> list[Outcome]:
    """Goes on from the snapshots until each run has met a limit or `interrupted()` names a reason to stop.

    Several runs, whose configurations differ in the seed alone, are an ensemble and share one compiled program.
    """
    ensemble = Ensemble(trainers) if len(trainers) > 1 else None
    members = ensemble.trainers if ensemble else trainers
    sessions = [Session(*parts) for parts in zip(members, snapshots, recorders, strict=True)]

    def advance(counts: Sequence[int]) -> list[ChunkReport]:
        return ensemble.advance(sessions, counts) if ensemble else [_advance(sessions[0], counts[0])]

    _compile(sessions, advance)
    speed = _Speed()
    for session in sessions:
        session.begin()
    outcomes = [session.outcome() for session in sessions]
    while not all(outcomes):
        going = [i for i, outcome in enumerate(outcomes) if outcome is None]
        allowed = decided(speed.allowed)
        counts = [min(session.next_count(), allowed) for session in sessions]
        counts = [count if i in going else 0 for i, count in enumerate(counts)]
        before, began = [session.iteration for session in sessions], time.perf_counter()
        reports = advance(counts)
        done = max(session.iteration - start for session, start in zip(sessions, before, strict=True))
        speed.note(done, time.perf_counter() - began)
        for i in going:
            outcomes[i] = sessions[i].receive(reports[i], interrupted)
    return [outcome for outcome in outcomes if outcome]


def _advance(session: Session, count: int) -> ChunkReport:
    session.state, report = run_chunk(
        session.loss,
        session.trainer.optimizer,
        session.taus,
        session.tolerance,
        session.state,
        session.view,
        jnp.asarray(count, jnp.int32),
    )
    return report


def _compile(sessions: Sequence[Session], advance: Advance) -> None:
    """Compiles everything; its time is counted apart."""
    start = time.perf_counter()
    jax.block_until_ready([report.terms for report in advance([0] * len(sessions))])
    for session in sessions:
        session.compile()
    for session in sessions:
        session.compiled(time.perf_counter() - start)


class _Speed:
    """How many iterations fit the response time, from the last chunk."""

    def __init__(self) -> None:
        self._per_iteration: float | None = None

    def allowed(self) -> int:
        if self._per_iteration is None:
            return 1
        return max(1, int(_RESPONSE_SECONDS / max(self._per_iteration, 1e-9)))

    def note(self, count: int, seconds: float) -> None:
        if count > 0:
            self._per_iteration = seconds / count
