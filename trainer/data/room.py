"""Disk space that is there before it is written to.

A memory map of a file whose blocks are missing ends the process with a bus error when the disk fills up, where no
`except` helps. So the blocks are allocated first, and a full disk is an error with a sentence.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from tinyml.full_disk import full_disk_told

_BLOCK = 1 << 20

ELSEWHERE = "TINYML_CACHE"
"""What names another place for data sets."""


def new_array(path: Path, shape: tuple[int, ...]) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    """A new uint8 array on disk, mapped for writing, all of its blocks allocated; raises FullDiskError if not."""
    with path.open("wb") as file, full_disk_told(path, int(np.prod(shape)), elsewhere=ELSEWHERE):
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
