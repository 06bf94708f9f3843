"""Disk space that is there before it is written to.

A memory map of a file whose blocks are missing ends the process with a bus error when the disk fills up, where no
`except` helps. So the blocks are allocated first, and a full disk is an error with a sentence.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from tinyml.errors import DataError

_BLOCK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def new_array(path: Path, shape: tuple[int, ...]) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    """A new uint8 array on disk, mapped for writing, all of its blocks allocated; raises DataError if they are not."""
    with path.open("wb") as file, full_disk_told(path, int(np.prod(shape))):
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
        file.flush()
        allocate(file.fileno(), file.tell(), int(np.prod(shape)))
        start = file.tell()
    return np.memmap(path, mode="r+", dtype=np.uint8, shape=shape, offset=start)


def allocate(handle: int, start: int, size: int) -> None:
    """Makes sure that `size` bytes from `start` on can be written to the open file; raises OSError if they cannot."""
    if size == 0:
        return
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, start, size)
        return
    zeros = bytes(_BLOCK)  # a Mac has no such call: what is written is there
    for offset in range(start, start + size, _BLOCK):
        os.pwrite(handle, zeros[: start + size - offset], offset)


@contextlib.contextmanager
def full_disk_told(path: Path, needed_bytes: int | None = None) -> Iterator[None]:
    """Turns the system's word for a full disk, a quota or a limit of file sizes into a DataError about `path`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        free = shutil.disk_usage(path.parent).free
        needed = f"{needed_bytes / 1e6:,.1f} MB needed, " if needed_bytes else ""
        raise DataError(
            f"no room for {path.name} ({error.strerror})",
            value=f"{needed}{free / 1e6:,.1f} MB free in {path.parent}",
            hint="make room, or let TINYML_CACHE name another place",
        ) from None
