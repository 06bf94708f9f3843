"""From a name or a folder to a prepared data set in the cache."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from tinyml.full_disk import full_disk_told
from tinyml.progress import Progress, Silent
from tinyml.store import atomic_folder, sweep
from tinyml.workspace import cache_dir

from .dataset import DamagedError, Dataset, check_arrays, open_prepared
from .room import ELSEWHERE
from .source import Source, find_source, prepare_command
from .writing import write_dataset

_SCRATCH = "scratch"


def open_dataset(name_or_path: str, *, progress: Progress = Silent()) -> Dataset:
    """The data set called "tiny-imagenet" or "shapes", or that in a folder of images; prepared at the first use.

    A folder's set is prepared again when its files have changed. Raises DataError, or UnknownNameError for a name
    that is no folder either.
    """
    source = find_source(name_or_path)
    place = prepared_place(source)
    if not place.exists():
        return _prepared(source, skip_bad=False, progress=progress)
    dataset = open_prepared(place, again=prepare_command(source))
    if dataset.identity is None:
        progress.say(f"{name_or_path} was prepared by an older tinyml: preparing it again")
    elif source.made(dataset):
        return dataset
    else:
        progress.say(f"{name_or_path} has changed since it was prepared: preparing it again")
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
    return prepare_source(find_source(name_or_path, source), skip_bad=skip_bad, progress=progress)


def prepare_source(source: Source, *, skip_bad: bool = False, progress: Progress = Silent()) -> tuple[Dataset, bool]:
    """`prepare` for a source that is at hand."""
    place, again = prepared_place(source), prepare_command(source)
    if place.exists():
        try:
            dataset = open_prepared(place, again=again)
            check_arrays(dataset, again=again)
        except DamagedError as error:
            progress.say(f"{error.what}: preparing it again")
        else:
            current = dataset.identity is not None and source.made(dataset)
            if current and (skip_bad or not dataset.index.skipped):
                return dataset, False
    return _prepared(source, skip_bad=skip_bad, progress=progress), True


def prepared_place(source: Source) -> Path:
    """The folder in the cache that holds the source's prepared data set, or will."""
    return cache_dir() / "datasets" / source.cache_name


def _prepared(source: Source, *, skip_bad: bool, progress: Progress) -> Dataset:
    place = prepared_place(source)
    with _alone(place, progress) as waited:
        if waited and place.exists():
            return open_prepared(place, again=prepare_command(source))
        with atomic_folder(place) as folder, full_disk_told(place, elsewhere=ELSEWHERE):
            scratch = folder / _SCRATCH
            scratch.mkdir()
            contents = source.contents(scratch, progress)
            write_dataset(contents, folder, skip_bad=skip_bad, again=prepare_command(source), progress=progress)
            progress.finish()
            shutil.rmtree(scratch)
    return open_prepared(place, again=prepare_command(source))


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
        sweep(place.parent)
        yield waited
