"""From a list of images to a prepared data set: the one way in which all sources write theirs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.lib.format import open_memmap

from tinyml.errors import DataError
from tinyml.progress import Progress
from tinyml.schema import SPLITS, DatasetIndex, Preprocess, SplitInfo, SplitName
from tinyml.store import file_sha256, provenance, write_json

from .dataset import INDEX
from .images import quiet_pillow

_CHUNK = 256


@dataclass(frozen=True, kw_only=True)
class Item:
    """One image to come: its path below the source (or its number, where it is drawn) and its class number."""

    path: str
    label: int


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a data set will hold; `read` makes the uint8 [size, size, 3] image of an item, in any thread."""

    name: str
    source: str
    class_ids: tuple[str, ...]
    labels: tuple[str, ...]
    split_rule: str
    seed: int
    splits: Mapping[SplitName, Sequence[Item]]
    read: Callable[[Item], npt.NDArray[np.uint8]]
    preprocess: Preprocess
    missing: tuple[str, ...] = ()
    """Images that the source should hold and does not."""
    fingerprint: str | None = None


def write_dataset(contents: Contents, folder: Path, *, skip_bad: bool, progress: Progress) -> DatasetIndex:
    """Decodes all images into `folder`, which exists and is empty, and writes the index last.

    Raises DataError that names the first unreadable or missing image; with `skip_bad` such images are left out and
    listed in the index instead, as long as every class keeps a training image.
    """
    if contents.missing and not skip_bad:
        first, more = contents.missing[0], len(contents.missing) - 1
        raise DataError(f"missing image{f' (and {more} more)' if more else ''}", value=first, hint=_SKIP_HINT)
    progress.start(f"preparing {contents.name}", sum(len(contents.splits[name]) for name in SPLITS), "images")
    skipped = list(contents.missing)
    splits: dict[SplitName, SplitInfo] = {}
    for name in SPLITS:
        path = folder / f"{name}.npy"
        bad = _decode(contents, contents.splits[name], path, skip_bad=skip_bad, progress=progress)
        kept = [item for n, item in enumerate(contents.splits[name]) if n not in bad]
        skipped += [contents.splits[name][n].path for n in sorted(bad)]
        if not kept:
            raise DataError(f"no readable image for the {name} split", value=contents.source)
        if bad:
            _compact(path, bad)
        splits[name] = SplitInfo(images=len(kept), sha256=file_sha256(path), labels=tuple(item.label for item in kept))
    progress.finish()
    untrained = set(range(len(contents.class_ids))) - set(splits["train"].labels)
    if untrained:
        raise DataError("no readable training image of a class", value=contents.class_ids[min(untrained)])
    index = DatasetIndex(
        name=contents.name,
        source=contents.source,
        class_ids=contents.class_ids,
        labels=contents.labels,
        preprocess=contents.preprocess,
        split_rule=contents.split_rule,
        seed=contents.seed,
        splits=splits,
        skipped=tuple(skipped),
        fingerprint=contents.fingerprint,
        provenance=provenance(packages=("numpy", "pillow")),
    )
    write_json(folder / INDEX, index)
    return index


_SKIP_HINT = "leave such images out with: tinyml data prepare --skip-bad"


def _decode(
    contents: Contents, items: Sequence[Item], path: Path, *, skip_bad: bool, progress: Progress
) -> frozenset[int]:
    """Fills the array at `path`; returns the numbers of the unreadable items."""
    size = contents.preprocess.input_size
    array = _new_array(path, (len(items), size, size, 3))

    def fill(start: int) -> list[int]:
        bad = []
        for n in range(start, min(start + _CHUNK, len(items))):
            try:
                array[n] = contents.read(items[n])
            except DataError as error:
                if not skip_bad:
                    raise DataError(error.what, value=error.value, hint=_SKIP_HINT) from None
                bad.append(n)
        return bad

    pool = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1))
    found: set[int] = set()
    try:
        with quiet_pillow():
            for start, bad in zip(
                range(0, len(items), _CHUNK), pool.map(fill, range(0, len(items), _CHUNK)), strict=True
            ):
                found.update(bad)
                progress.advance(min(_CHUNK, len(items) - start))
    finally:
        pool.shutdown(cancel_futures=True)
    array.flush()
    return frozenset(found)


def _compact(path: Path, bad: frozenset[int]) -> None:
    """Rewrites the array at `path` without the rows `bad`."""
    old = np.load(path, mmap_mode="r", allow_pickle=False)
    kept = np.setdiff1d(np.arange(len(old)), sorted(bad))
    smaller = path.with_suffix(".smaller")
    new = _new_array(smaller, (len(kept), *old.shape[1:]))
    for start in range(0, len(kept), _CHUNK):
        new[start : start + _CHUNK] = old[kept[start : start + _CHUNK]]
    new.flush()
    smaller.replace(path)


def _new_array(path: Path, shape: tuple[int, ...]) -> np.memmap[tuple[int, ...], np.dtype[np.uint8]]:
    array: np.memmap[tuple[int, ...], np.dtype[np.uint8]] = open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)  # type: ignore[no-untyped-call]
    return array
