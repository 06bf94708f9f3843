"""Places for temporary files that go when they are no longer needed, those of other libraries too.

coremltools keeps a copy of every package it opens or converts until the process ends, for ever where that is killed:
dozens of variants of a large network would fill a disk.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tinyml.locks import locked, try_lock

_NAME = "scratch"
_OURS = "tinyml_"


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


@contextlib.contextmanager
def temporary_folder(purpose: str) -> Iterator[Path]:
    """A new folder among the system's temporary ones, called after its `purpose`, gone when the block ends.

    What killed processes of this user left of such folders, whatever their purpose, goes as well.
    """
    place = Path(tempfile.gettempdir())
    _sweep(place)
    folder, lock = locked(lambda: Path(tempfile.mkdtemp(prefix=f"{_OURS}{purpose}-", dir=place)))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(place: Path) -> None:
    for left in place.glob(f"{_OURS}*"):
        if re.fullmatch(rf"{_OURS}[a-z]+-[a-z0-9_]{{8}}", left.name) is None or not _is_own_folder(left):
            continue
        if (lock := try_lock(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


def _is_own_folder(path: Path) -> bool:
    try:
        return path.is_dir() and not path.is_symlink() and path.lstat().st_uid == os.getuid()
    except OSError:
        return False
