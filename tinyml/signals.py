"""The signals that end a command; until the command line can unwind one, each ends the process at once, with a word.

Imported before anything else, so it imports nothing that takes time.
"""

from __future__ import annotations

import atexit
import os
import signal
from types import FrameType

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated", signal.SIGHUP: "the terminal has gone"}


class Stopped(KeyboardInterrupt):
    """A signal came.

    KeyboardInterrupt itself, where it once passes through code made of a string (each dataclass is), has Python end the
    process by SIGINT whatever exit code is asked for; a class of its own does not.
    """


def code_of(number: int) -> int:
    """The exit code that shells know: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return 128 + number


def leave_at_once() -> None:
    """Makes each signal end the process on the spot; one that is ignored (`nohup`) stays ignored.

    For the time of the first imports and that after the command has ended, when there is nothing to clean up: an
    exception would come out of somebody's import as a traceback, or be lost in it.
    """
    atexit.register(_let_end)  # the first to be registered, so the last that runs
    for number in WORDS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)


def _let_end() -> None:
    """Python takes its modules apart next, with each signal at its default, which ends a process by the signal.

    The work is done and its files are written: the command ends as it would have, a moment later.
    """
    for number in WORDS:
        signal.signal(number, signal.SIG_IGN)


def _leave(number: int, _frame: FrameType | None) -> None:
    try:
        os.write(2, f"error: {WORDS[signal.Signals(number)]}\n".encode())
    finally:
        os._exit(code_of(number))
