"""Ctrl-C, SIGTERM and SIGHUP, held back while a training step or a save is under way."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from tinyml.signals import Stopped

from .team import ALONE, Team

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Raises KeyboardInterrupt for these signals, but never inside a `held` block: there, right after it.

    One that is ignored, as by `nohup`, stays ignored.
    Outside the main thread, where Python delivers no signals, nothing is changed. In a team a signal waits for the next
    `held` block's end, where all stop together, whichever of them it reached.
    """

    def __init__(self, team: Team = ALONE) -> None:
        self._team = team
        self._holding = False
        self._pending = False
        self.number: int | None = None
        """The signal that came."""

    @contextlib.contextmanager
    def installed(self) -> Iterator[Interrupts]:
        """Handles them until the block ends, then puts the earlier handlers back."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        numbers = [n for n in SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
        earlier = {number: signal.signal(number, self._handle) for number in numbers}
        try:
            yield self
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Lets the block finish; an interrupt that came meanwhile is raised after it."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._team.any(self._pending):
            self._pending = False
            raise Stopped

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """Lets the block finish, and forgets the interrupts that came meanwhile."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = self._pending = False

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        if not self._holding and self._team.size == 1:
            raise Stopped
        self._pending = True
