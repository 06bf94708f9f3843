"""From a name or a folder to a prepared data set in the cache."""

from __future__ import annotations

import contextlib
import fcntl
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tinyml.errors import DataError, UnknownNameError, UsageError
from tinyml.progress import Progress, Silent
from tinyml.store import atomic_folder
from tinyml.workspace import cache_dir

from .dataset import DamagedError, Dataset, open_prepared, verify
from .folder import ImageFolder
from .shapes import Shapes
from .tiny_imagenet import TinyImageNet
from .writing import Contents, write_dataset

NAMES = ("shapes", "tiny-imagenet")
_SCRATCH = "scratch"


class Source(Protocol):
    """Where a data set comes from."""

    @property
    def data(self) -> str:
        """What the user calls it: a name or a path."""

    @property
    def cache_name(self) -> str:
        """The name of its folder in the cache."""

    def made(self, dataset: Dataset) -> bool:
        """Whether the prepared `dataset` came from just this source."""

    def contents(self, scratch: Path, progress: Progress) -> Contents:
        """What is to be prepared; `scratch` is an empty folder that goes afterwards."""


def open_dataset(name_or_path: str, *, progress: Progress = Silent()) -> Dataset:
    """The data set called "tiny-imagenet" or "shapes", or that in a folder of images; prepared at the first use.

    A folder's set is prepared again when its files have changed. Raises DataError, or UnknownNameError for a name
    that is no folder either.
    """
    source = _source(name_or_path, None)
    place = _place(source)
    if not place.exists():
        return _prepared(source, skip_bad=False, progress=progress)
    dataset = open_prepared(place, again=_command(source))
    if source.made(dataset):
        return dataset
    progress.say(f"{source.data} has changed since it was prepared: preparing it again")
    return _prepared(source, skip_bad=bool(dataset.index.skipped), progress=progress)


def prepare(
    name_or_path: str, *, source: Path | None = None, skip_bad: bool = False, progress: Progress = Silent()
) -> tuple[Dataset, bool]:
    """Prepares a data set, unless a sound one from the same source is there; returns it and whether it is new.

    Args:
        name_or_path: as for `open_dataset`.
        source: the archive or folder of Tiny ImageNet, instead of its download.
        skip_bad: leave unreadable images out and list them in the index, instead of stopping at the first.
        progress: told about the download, the unpacking and the decoding.

    Raises:
        DataError: what the source holds is missing, incomplete or unreadable.
        UsageError: `source` was given for another data set than Tiny ImageNet.
    """
    origin = _source(name_or_path, source)
    place = _place(origin)
    if place.exists():
        try:
            dataset = open_prepared(place, again=_command(origin))
            verify(dataset, again=_command(origin))
        except DamagedError as error:
            progress.say(f"{error.what}: preparing it again")
        else:
            if origin.made(dataset) and (skip_bad or not dataset.index.skipped):
                return dataset, False
    return _prepared(origin, skip_bad=skip_bad, progress=progress), True


def _source(name_or_path: str, given: Path | None) -> Source:
    if given is not None and name_or_path != "tiny-imagenet":
        raise UsageError("a source is for Tiny ImageNet only", value=name_or_path, hint="give a folder with --data")
    if name_or_path == "tiny-imagenet":
        return TinyImageNet(given=given)
    if name_or_path == "shapes":
        return Shapes()
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return ImageFolder(data=name_or_path, root=path.resolve())
    if path.exists():
        raise DataError("a data set is a folder of images, this is a file", value=name_or_path)
    if len(path.parts) > 1:
        raise DataError("no such folder", value=name_or_path)
    raise UnknownNameError("data set", name_or_path, (*NAMES, "a folder of images"))


def _place(source: Source) -> Path:
    return cache_dir() / "datasets" / source.cache_name


def _command(source: Source) -> str:
    return f"tinyml data prepare --data {source.data}"


def _prepared(source: Source, *, skip_bad: bool, progress: Progress) -> Dataset:
    place = _place(source)
    with _alone(place, progress) as waited:
        if waited and place.exists():
            return open_prepared(place, again=_command(source))
        with atomic_folder(place) as folder:
            scratch = folder / _SCRATCH
            scratch.mkdir()
            contents = source.contents(scratch, progress)
            write_dataset(contents, folder, skip_bad=skip_bad, progress=progress)
            progress.finish()
            shutil.rmtree(scratch)
    return open_prepared(place, again=_command(source))


@contextlib.contextmanager
def _alone(place: Path, progress: Progress) -> Iterator[bool]:
    """Keeps other processes from preparing the same data set, and sweeps up after those that were killed.

    Yields whether there was one to wait for, which has then done the work.
    """
    waited = False
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f".{place.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"another process is preparing {place.name}: waiting for it")
            waited = True
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in place.parent.iterdir():
            if re.fullmatch(rf"\.{re.escape(place.name)}-(old-)?[a-z0-9_]{{8}}", left.name):
                shutil.rmtree(left, ignore_errors=True)
        yield waited
