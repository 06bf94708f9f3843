"""Images that a data set holds more than once: alike in every pixel, or alike to the eye.

What is compared is what the network sees, the prepared pixels. Near-duplicates are found by a perceptual hash, the
signs of an image's 64 slowest waves (a discrete cosine transform of its brightness, as in pHash), and confirmed by the
correlation of the two images; so brightness, contrast, size and compression may differ. A crop is another picture,
found only if it is a small one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import dctn

from tinyml.progress import Progress, Silent
from tinyml.schema import SPLITS, Count, Record, SplitName

from .dataset import Dataset

_CHUNK = 1024
_PAIRS = 8192
_SIDE = 32
"""Of the gray pictures that are compared, each an average of the prepared pixels."""

_WAVES = 8
_BITS = _WAVES * _WAVES
MAX_DISTANCE = 7
"""Bits in which the hashes of near-duplicates may differ; one less than there are bytes, so that one byte agrees."""

MIN_CORRELATION = 0.98
_MAX_EXAMPLES = 20
_LUMA = np.array((0.299, 0.587, 0.114), dtype=np.float32)

Hashes = npt.NDArray[np.uint64]
Grays = npt.NDArray[np.float32]
"""[N, side * side], each of mean 0 and length 1; all zeros where the image has one brightness only."""


class Pair(Record):
    """Two images that are alike, by "split/path" (or the place in the array, where paths were not kept)."""

    first: str
    second: str


class Duplicates(Record):
    """Repeated images; an image counts once, however many others it repeats."""

    within: dict[SplitName, Count]
    """Images that repeat an earlier one of the same split."""
    across: dict[str, Count]
    """By "train, test": images of the second split that the first holds too."""
    in_two_classes: Count
    """Images that repeat an earlier one of another class: one of the two labels is wrong."""
    examples: tuple[Pair, ...]
    """Some of them, across splits first."""

    @property
    def images(self) -> int:
        """How many images repeat another."""
        return sum(self.within.values()) + sum(self.across.values())


@dataclass(frozen=True, kw_only=True)
class _All:
    """All images of all splits in a row."""

    names: list[str]
    splits: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]


def find_duplicates(dataset: Dataset, *, progress: Progress = Silent()) -> tuple[Duplicates, Duplicates]:
    """The exact duplicates, and the near-duplicates that are not exact, of all splits.

    One pass over the memory maps; some tens of seconds for 100,000 images.
    """
    everything = _everything(dataset)
    progress.start(f"comparing {dataset.index.name}", len(everything.names), "images")
    digests: list[bytes] = []
    hashes, grays = [], []
    for name in SPLITS:
        images = dataset.split(name).images
        for start in range(0, len(images), _CHUNK):
            chunk = np.ascontiguousarray(images[start : start + _CHUNK])
            digests += [hashlib.blake2b(image.data, digest_size=16).digest() for image in chunk]
            gray = _gray(chunk)
            hashes.append(perceptual_hash(gray))
            grays.append(_standardized(gray))
            progress.advance(len(chunk))
    progress.finish()
    groups = np.unique(np.array(digests, dtype="V16"), return_index=True, return_inverse=True)
    first_of = groups[1][groups[2].reshape(-1)]
    exact = [(int(first), int(n)) for n, first in enumerate(first_of) if first != n]
    singles = np.flatnonzero(first_of == np.arange(len(first_of)))
    near = near_pairs(np.concatenate(hashes)[singles], np.concatenate(grays)[singles])
    return _counted(exact, everything), _counted([(int(singles[a]), int(singles[b])) for a, b in near], everything)


def perceptual_hash(gray: npt.NDArray[np.float32]) -> Hashes:
    """The 64 signs of the slowest waves of gray images [N, side, side], the constant one left out: uint64 [N].

    A wave counts as strong if it is above the median of its image's 64, so half of the bits are set.
    """
    waves = dctn(gray, axes=(1, 2), norm="ortho")[:, :_WAVES, : _WAVES + 1].reshape(len(gray), -1)[:, 1 : _BITS + 1]
    bits = waves > np.median(waves, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(np.uint64).reshape(-1)


def near_pairs(hashes: Hashes, grays: Grays) -> list[tuple[int, int]]:
    """Each image that is much like an earlier one, with one such: (earlier, later), sorted.

    Hashes that differ in at most 7 bits agree in one of their 8 bytes at least, so only images that share a byte are
    compared; that finds every such pair.
    """
    found: dict[int, int] = {}
    known = np.zeros(len(hashes), dtype=bool)
    for a, b in _close(hashes):
        for start in range(0, len(a), _PAIRS):
            earlier, later = a[start : start + _PAIRS], b[start : start + _PAIRS]
            new = ~known[later]
            earlier, later = earlier[new], later[new]
            alike = np.einsum("ij,ij->i", grays[earlier], grays[later]) >= MIN_CORRELATION
            for first, second in zip(earlier[alike].tolist(), later[alike].tolist(), strict=True):
                found.setdefault(second, first)
            known[later[alike]] = True
    return sorted((first, second) for second, first in found.items())


def _close(hashes: Hashes) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Numbers of images whose hashes are close, the earlier and the later, in batches; a pair may come repeatedly."""
    octets = hashes.view(np.uint8).reshape(-1, 8)
    for column in range(8):
        order = np.argsort(octets[:, column], kind="stable")
        starts = np.searchsorted(octets[order, column], np.arange(257))
        for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            members = order[begin:end]
            for at in range(0, len(members), _CHUNK):
                rows, later = members[at : at + _CHUNK], members[at:]
                distances = np.bitwise_count(hashes[rows][:, None] ^ hashes[later][None, :])
                i, j = np.nonzero(distances <= MAX_DISTANCE)
                apart = i < j
                yield rows[i[apart]], later[j[apart]]


def _gray(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Brightness, averaged down to [N, side, side] (or as near above as whole pixels allow)."""
    size = images.shape[1]
    step = max(1, size // _SIDE)
    kept = size // step * step
    cells = images[:, :kept, :kept].reshape(len(images), kept // step, step, kept // step, step, 3)
    means: npt.NDArray[np.float32] = cells.mean(axis=(2, 4), dtype=np.float32) @ _LUMA
    return means


def _standardized(gray: npt.NDArray[np.float32]) -> Grays:
    rows = gray.reshape(len(gray), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    # An image without any contrast correlates with nothing: noise of less than a level would decide.
    return np.where(lengths > rows.shape[1] ** 0.5, rows / np.maximum(lengths, 1e-6), 0.0).astype(np.float32)


def _everything(dataset: Dataset) -> _All:
    names: list[str] = []
    for split in SPLITS:
        info = dataset.index.splits[split]
        names += [f"{split}: {path}" for path in info.paths or map(str, range(info.images))]
    labels = [dataset.index.splits[split].labels for split in SPLITS]
    return _All(
        names=names,
        splits=np.repeat(np.arange(len(SPLITS)), [len(part) for part in labels]),
        labels=np.concatenate([np.asarray(part, dtype=np.int64) for part in labels]),
    )


def _counted(pairs: list[tuple[int, int]], everything: _All) -> Duplicates:
    within: dict[SplitName, int] = dict.fromkeys(SPLITS, 0)
    across = {f"{a}, {b}": 0 for n, a in enumerate(SPLITS) for b in SPLITS[n + 1 :]}
    crossing, inside, mislabeled = [], [], 0
    for a, b in pairs:
        pair = Pair(first=everything.names[a], second=everything.names[b])
        one, two = SPLITS[everything.splits[a]], SPLITS[everything.splits[b]]
        if one == two:
            within[one] += 1
            inside.append(pair)
        else:
            across[f"{one}, {two}"] += 1
            crossing.append(pair)
        mislabeled += int(everything.labels[a] != everything.labels[b])
    return Duplicates(
        within=within,
        across=across,
        in_two_classes=mislabeled,
        examples=tuple([*crossing, *inside][:_MAX_EXAMPLES]),
    )
