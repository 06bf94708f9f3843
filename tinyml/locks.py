"""Temporaries that are locked for as long as their process lives, so that others can tell those that it left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def locked(make: Callable[[], Path]) -> tuple[Path, int]:
    """A new temporary and the open handle that holds its lock; made again where another process just swept it away.

    Where the file system knows no locks, nothing is ever swept.
    """
    while True:
        temporary = make()
        with contextlib.suppress(FileNotFoundError):
            handle = os.open(temporary, os.O_RDONLY)
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            if temporary.exists():
                return temporary, handle
            os.close(handle)


def try_lock(path: Path) -> int | None:
    """An open handle that holds the lock of `path`; None where a living process holds it, or there is none to have."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
