"""Ctrl-C and SIGTERM, held back while a training step or a save is under way."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Interrupts:
    """Raises KeyboardInterrupt for SIGINT and SIGTERM, but never inside a `held` block: there, right after it.

    Outside the main thread, where Python delivers no signals, nothing is changed.
    """

    def __init__(self) -> None:
        self._holding = False
        self._pending = False

    @contextlib.contextmanager
    def installed(self) -> Iterator[Interrupts]:
        """Handles both signals until the block ends, then puts the earlier handlers back."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        earlier = {number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)}
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
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def shielded(self) -> Iterator[None]:
        """Lets the block finish, and forgets the interrupts that came meanwhile."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = self._pending = False

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if not self._holding:
            raise KeyboardInterrupt
        self._pending = True
