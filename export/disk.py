"""What a disk refuses, told in one line."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tinyml.errors import ArtifactError

_ROOM = "make room there and in the folder for temporary files, or write elsewhere"


@contextlib.contextmanager
def writing(target: Path) -> Iterator[None]:
    """Around the writing of `target`: raises ArtifactError for what the system refuses."""
    try:
        yield
    except OSError as error:
        reason = _reason(error)
        full = os.strerror(errno.ENOSPC) in reason
        raise ArtifactError(
            f"cannot write {target}",
            value=reason,
            hint=_ROOM if full else None,
        ) from error
    except RuntimeError as error:  # coremltools copies with a library of C++, whose errors are these
        if "filesystem error" not in str(error):
            raise
        reason = str(error).partition("filesystem error: ")[2].partition(" [")[0]
        raise ArtifactError(f"cannot write {target}", value=reason, hint=_ROOM) from error


def _reason(error: OSError) -> str:
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):  # one entry for each file of a folder
        text = str(error.args[0][0][2])
        return text.partition("] ")[2].partition(": ")[0] or text
    return error.strerror or " ".join(str(error).split())
