"""From a list of images to a prepared data set: the one way in which all sources write theirs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml.errors import DataError
from tinyml.full_disk import full_disk_told
from tinyml.progress import Progress
from tinyml.schema import SPLITS, DatasetIndex, LeftOut, Preprocess, SplitInfo, SplitName
from tinyml.store import file_sha256, provenance, write_json

from .dataset import INDEX
from .images import quiet_pillow, shown
from .room import ELSEWHERE, new_array

_CHUNK = 256


@dataclass(frozen=True, kw_only=True)
class Item:
    """One image to come: its path below the source (or its number, where it is drawn) and its class number."""

    path: str
    label: int


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An item as uint8 [size, size, 3], and the bytes it was made from: its file's, or what decides a drawing."""

    pixels: npt.NDArray[np.uint8]
    origin: bytes


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a data set will hold; `read` makes the picture of an item, in any thread."""

    name: str
    source: str
    class_ids: tuple[str, ...]
    labels: tuple[str, ...]
    split_rule: str
    seed: int
    splits: Mapping[SplitName, Sequence[Item]]
    read: Callable[[Item], Picture]
    preprocess: Preprocess
    missing: tuple[str, ...] = ()
    """Images that the source should hold and does not."""
    fingerprint: str | None = None
    left_out: tuple[LeftOut, ...] = ()
    data: str
    """The words that open it from anywhere."""


def write_dataset(contents: Contents, folder: Path, *, skip_bad: bool, again: str, progress: Progress) -> DatasetIndex:
    """Decodes all images into `folder`, which exists and is empty, and writes the index last.

    Raises DataError that names the first unreadable or missing image, and `again`, the command that prepares this data
    set, with the option that leaves such images out; with `skip_bad` such images are left out and
    listed in the index instead, as long as every class keeps a training image.
    """
    skip = None if skip_bad else f"leave such images out with: {again} --skip-bad"
    if skip is not None and contents.missing:
        first, more = contents.missing[0], len(contents.missing) - 1
        raise DataError(f"missing image{f' (and {more} more)' if more else ''}", value=first, hint=skip)
    progress.start(f"preparing {contents.name}", sum(len(contents.splits[name]) for name in SPLITS), "images")
    skipped = list(contents.missing)
    splits: dict[SplitName, SplitInfo] = {}
    for name in SPLITS:
        path = folder / f"{name}.npy"
        digests = _decode(contents, contents.splits[name], path, skip=skip, progress=progress)
        bad = frozenset(n for n, digest in enumerate(digests) if digest is None)
        kept = [item for n, item in enumerate(contents.splits[name]) if n not in bad]
        skipped += [shown(contents.splits[name][n].path) for n in sorted(bad)]
        if not kept:
            raise DataError(f"no readable image for the {name} split", value=contents.source)
        if bad:
            _compact(path, bad)
        splits[name] = SplitInfo(
            images=len(kept),
            sha256=file_sha256(path),
            labels=tuple(item.label for item in kept),
            content_sha256=_content_sha256(contents, kept, [digest for digest in digests if digest is not None]),
            paths=tuple(shown(item.path) for item in kept),
        )
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
        left_out=contents.left_out,
        data=contents.data,
        provenance=provenance(packages=("numpy", "pillow")),
    )
    with full_disk_told(folder / INDEX, elsewhere=ELSEWHERE):
        write_json(folder / INDEX, index)
    return index


def _content_sha256(contents: Contents, items: Sequence[Item], digests: Sequence[str]) -> str:
    pairs = zip(items, digests, strict=True)
    lines = sorted(f"{contents.class_ids[item.label]}\0{digest}\n" for item, digest in pairs)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _decode(
    contents: Contents, items: Sequence[Item], path: Path, *, skip: str | None, progress: Progress
) -> list[str | None]:
    """Fills the array at `path`; returns the SHA-256 of what each item was made from, None for the unreadable.

    With `skip` the first unreadable image is an error that ends with it.
    """
    size = contents.preprocess.input_size
    array = new_array(path, (len(items), size, size, 3))

    def fill(start: int) -> list[str | None]:
        digests: list[str | None] = []
        for n in range(start, min(start + _CHUNK, len(items))):
            try:
                picture = contents.read(items[n])
            except DataError as error:
                if skip is not None:
                    raise DataError(error.what, value=error.value, allowed=error.allowed, hint=skip) from None
                digests.append(None)
            else:
                array[n] = picture.pixels
                digests.append(hashlib.sha256(picture.origin).hexdigest())
        return digests

    pool = ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1))
    found: list[str | None] = []
    try:
        with quiet_pillow():
            for digests in pool.map(fill, range(0, len(items), _CHUNK)):
                found += digests
                progress.advance(len(digests))
    finally:
        pool.shutdown(cancel_futures=True)
    array.flush()
    return found


def _compact(path: Path, bad: frozenset[int]) -> None:
    """Rewrites the array at `path` without the rows `bad`."""
    old = np.load(path, mmap_mode="r", allow_pickle=False)
    kept = np.setdiff1d(np.arange(len(old)), sorted(bad))
    smaller = path.with_suffix(".smaller")
    new = new_array(smaller, (len(kept), *old.shape[1:]))
    for start in range(0, len(kept), _CHUNK):
        new[start : start + _CHUNK] = old[kept[start : start + _CHUNK]]
    new.flush()
    smaller.replace(path)
