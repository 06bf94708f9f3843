"""A place for the temporary files of other libraries that goes when it is no longer needed.

coremltools keeps a copy of every package it opens or converts until the process ends, for ever where that is killed:
dozens of variants of a large network would fill a disk.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_NAME = "scratch"


@contextlib.contextmanager
def scratch_in(folder: Path) -> Iterator[None]:
    """Lets `tempfile` put everything into a folder inside `folder` while the block runs, and removes that afterwards.

    Inside the temporary of `store.atomic_folder`, what a killed process leaves goes with the next write. It changes
    the process's own setting, so it belongs in one thread.
    """
    inside, before = folder / _NAME, tempfile.tempdir
    inside.mkdir()
    tempfile.tempdir = str(inside)
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(inside, ignore_errors=True)
