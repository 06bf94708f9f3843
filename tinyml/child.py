"""A command of ours in a process of its own, which ends in its own way when this one is told to end."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tinyml.signals import code_of

STOP_SECONDS = 60
"""A command that has not ended so long after SIGTERM is killed."""


def run(words: Sequence[str], *, cwd: Path) -> int:
    """Runs it to its end and returns its exit code, that of shells where a signal ended it.

    An exception here, such as a signal, ends it first.
    """
    process = subprocess.Popen(words, cwd=cwd)  # noqa: S603 (our own command)
    try:
        code = process.wait()
        return code if code >= 0 else code_of(-code)
    except BaseException:
        end(process)
        raise


def end(process: subprocess.Popen[bytes]) -> None:
    """Has a command save what it keeps, clean up and end."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
