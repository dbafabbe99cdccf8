"""An end to what takes too long."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from hpms.errors import UserError

_MOST = 1e8  # seconds that the system's timer takes


class _Over(BaseException):
    """The time is over; no handler of errors on the way may take it for one of its own."""


@contextmanager
def deadline(seconds: float | None, sentence: str) -> Iterator[None]:
    """Raises `UserError(sentence)` inside the block once so many seconds are over; None, or another thread: never."""
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Over

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, min(seconds, _MOST))
    try:
        yield
    except _Over:
        raise UserError(sentence) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
