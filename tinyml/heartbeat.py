"""Signs of life from work that cannot say how far it has come, such as a foreign library's conversion."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from tinyml.progress import Progress

SECONDS = "s"
"""The unit of a count that only tells time."""


@contextlib.contextmanager
def beating(progress: Progress, label: str, *, every_s: float = 1.0) -> Iterator[None]:
    """Counts the seconds that the block takes, under `label`, from a thread of its own.

    The block tells `progress` nothing meanwhile; a thread, since the block is one call into a library.
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(every_s):
            progress.advance()

    progress.start(label, None, SECONDS)
    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        progress.finish()
