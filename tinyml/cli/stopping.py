"""Ctrl-C, SIGTERM and a terminal that goes: each ends a command by unwinding it, so that nothing is left behind."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "the terminal has gone"}


@dataclass
class Stop:
    """Which signal has ended the command, if any."""

    number: int | None = None

    @property
    def word(self) -> str:
        """For people: "terminated"."""
        return WORDS[signal.Signals(self.number or signal.SIGINT)]

    @property
    def code(self) -> int:
        """The exit code that shells know: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
        return 128 + (self.number or signal.SIGINT)

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Raises KeyboardInterrupt at the first signal; the next ones do not disturb what cleans up."""
        if self.number is None:
            self.number = number
            raise KeyboardInterrupt


@contextlib.contextmanager
def stoppable() -> Iterator[Stop]:
    """Handles the signals until the block ends; one that is ignored (`nohup`) stays ignored.

    Outside the main thread, where Python delivers no signals, nothing is changed.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    heard = [number for number in WORDS if signal.getsignal(number) is not signal.SIG_IGN]
    earlier = {number: signal.signal(number, stop.handle) for number in heard}
    try:
        yield stop
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
