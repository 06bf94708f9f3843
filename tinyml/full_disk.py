"""A disk that fills up under a command, as one sentence, whichever library noticed it."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tinyml.errors import FullDiskError, TinyMLError, reason_of

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_WORDS = {os.strerror(number) for number in _FULL}
_ONE_BLOCK = 4096


@contextlib.contextmanager
def full_disk_told(path: Path, needed_bytes: int | None = None, *, elsewhere: str = "--results") -> Iterator[None]:
    """Turns a full disk, a quota or a limit of file sizes, met while writing `path`, into a FullDiskError.

    coremltools and safetensors write without Python and raise errors of their own, so their words count, and a disk
    on which not one block is free.

    Args:
        path: What is written.
        needed_bytes: How much room it takes, where that is known.
        elsewhere: The option or variable that names another place.
    """
    try:
        yield
    except TinyMLError:
        raise
    except Exception as error:
        free = shutil.disk_usage(_there(path)).free
        if not _is_full(error, free):
            raise
        needed = f"{needed_bytes / 1e6:,.1f} MB needed, " if needed_bytes else ""
        reason = reason_of(error) if isinstance(error, OSError) else os.strerror(errno.ENOSPC)
        raise FullDiskError(
            f"no room for {path.name} ({reason})",
            value=f"{needed}{free / 1e6:,.1f} MB free in {path.parent}",
            hint=f"make room, or let {elsewhere} name another place",
        ) from None


def _is_full(error: Exception, free_bytes: int) -> bool:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    return free_bytes < _ONE_BLOCK or any(words in str(error) for words in _WORDS)


def _there(path: Path) -> Path:
    return next(folder for folder in path.absolute().parents if folder.exists())
