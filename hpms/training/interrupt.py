"""Ctrl-C, SIGTERM, a lost terminal and a scheduler's warning as a request to stop at the next opportunity."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Which signal asked to stop, if one did."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.signal = signal.Signals(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Within the block the first signal is noted, and a second Ctrl-C interrupts at once.

    SIGUSR2 is noted where somebody listens to it already (submitit, which requeues a job before its time is over), and
    handed on behind the block.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    warned = (signal.SIGUSR2,) if callable(signal.getsignal(signal.SIGUSR2)) else ()
    lost = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)  # nohup ignores it
    before = {s: signal.signal(s, interrupt) for s in (signal.SIGINT, signal.SIGTERM, *lost, *warned)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if interrupt.signal == signal.SIGUSR2:
        signal.raise_signal(signal.SIGUSR2)
