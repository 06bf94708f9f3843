"""Ctrl-C, SIGTERM and a terminal that goes: each ends a command by unwinding it, so that nothing is left behind.

An exception is not always heard. A finalizer's is reported by Python and lost, and so is one within what C code imports
and does without (torch's import of numpy). The command would go on; there the signal is sent once more. So it is where
it came in the moment between Python's last look at signals and a call that waits (a sleep, a child's end): Python would
hear of it when the wait is over.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

from tinyml.signals import WORDS, Stopped, code_of

_AGAIN_SECONDS = 0.05


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
        """The exit code that shells know."""
        return code_of(self.number or signal.SIGINT)

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raises an interrupt at the first signal; the next ones do not disturb what cleans up."""
        if self.number is None:
            self.number = number
            if imports := _imports(frame):
                # Not threading's: a signal may come while its lock is held.
                _thread.start_new_thread(self._again_if_still_in, (imports,))
            raise Stopped

    def report(self, _: object) -> None:
        """Told that the interrupt was raised where nobody waits for an exception."""
        if self.number is not None:
            _thread.start_new_thread(self._again, ())

    def watch(self, told: int) -> None:
        """Sends a signal, which comes as a byte from `told` when the system has delivered it, until it is heard."""
        while number := os.read(told, 1):
            while self._unheard(number[0]):
                time.sleep(_AGAIN_SECONDS)
                if self._unheard(number[0]):
                    _send(number[0])
        os.close(told)

    def _unheard(self, number: int) -> bool:
        return self.number is None and signal.getsignal(number) == self.handle

    def _again_if_still_in(self, imports: list[FrameType]) -> None:
        time.sleep(_AGAIN_SECONDS)
        main = sys._current_frames().get(_main())
        if any(before is now for now in _imports(main) for before in imports):
            self._send_again()

    def _again(self) -> None:
        time.sleep(_AGAIN_SECONDS)
        self._send_again()

    def _send_again(self) -> None:
        number, self.number = self.number, None
        if number is not None:
            _send(number)


def _main() -> int:
    return threading.main_thread().ident or 0


def _send(number: int) -> None:
    """To the main thread, where Python runs handlers: there it ends what waits."""
    signal.pthread_kill(_main(), number)


def _imports(frame: FrameType | None) -> list[FrameType]:
    """The imports under way in a stack."""
    found = []
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            found.append(frame)
        frame = frame.f_back
    return found


@contextlib.contextmanager
def stoppable() -> Iterator[Stop]:
    """Handles the signals until the block ends; one that is ignored (`nohup`) stays ignored.

    Outside the main thread, where Python delivers no signals, nothing is changed.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    _thread.start_new_thread(stop.watch, (told,))
    earlier_tell = signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    lost = sys.unraisablehook
    heard = [number for number in WORDS if signal.getsignal(number) is not signal.SIG_IGN]
    earlier = {number: signal.signal(number, stop.handle) for number in heard}
    sys.unraisablehook = lambda what: (stop.report if issubclass(what.exc_type, Stopped) else lost)(what)
    try:
        yield stop
    finally:
        sys.unraisablehook = lost
        for number, handler in earlier.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier_tell)
        os.close(tell)


# The pipe is the parent's: what ends a forked child is none of its signals.
os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
