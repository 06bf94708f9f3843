"""What a prepared data set holds, in numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml.progress import Progress, Silent
from tinyml.schema import RGB, SPLITS, Count, LeftOut, Record, SplitName

from .dataset import Dataset
from .duplicates import Duplicates, find_duplicates

_CHUNK = 1024
_LEVELS = np.arange(256)
_UNBALANCED = 2.0
_NEARLY_BLACK, _NEARLY_WHITE = 16.0, 239.0


class SplitSummary(Record):
    """One split's images and how evenly they spread over the classes."""

    split: SplitName
    images: Count
    classes: Count
    """With at least one image."""
    smallest_class: Count
    largest_class: Count


class ChannelStatistics(Record):
    """Of the pixels of one split, from 0 to 1, per channel: red, green, blue."""

    mean: RGB
    std: RGB
    nearly_black: Count
    """Images whose mean is below 16 of 255."""
    nearly_white: Count
    """Images whose mean is above 239 of 255."""


class ClassCount(Record):
    """The images of one class."""

    label: str
    train: Count
    val: Count
    test: Count


class DatasetSummary(Record):
    """A data set at a glance; the statistics are those of the training split."""

    name: str
    source: str
    labels: tuple[str, ...]
    split_rule: str
    splits: tuple[SplitSummary, ...]
    statistics: ChannelStatistics
    skipped: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    classes: tuple[ClassCount, ...]
    scarce: tuple[str, ...]
    """Classes with less than half of the mean number of training images."""
    abundant: tuple[str, ...]
    """Classes with more than twice that."""
    untested: tuple[str, ...]
    """Classes without an image in the validation or the test split."""
    duplicates: Duplicates
    near_duplicates: Duplicates
    """Those that are not exact."""


def summarize(dataset: Dataset, *, progress: Progress = Silent()) -> DatasetSummary:
    """Counts all splits, measures the training images and compares every image with every other."""
    index = dataset.index
    counts = {name: _counts(dataset, name) for name in SPLITS}
    mean = counts["train"].mean()
    exact, near = find_duplicates(dataset, progress=progress)

    def named(chosen: npt.NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(label for label, here in zip(index.labels, chosen, strict=True) if here)

    return DatasetSummary(
        name=index.name,
        source=index.source,
        labels=index.labels,
        split_rule=index.split_rule,
        splits=tuple(_split(dataset, name) for name in SPLITS),
        statistics=channel_statistics(dataset, progress=progress),
        skipped=index.skipped,
        left_out=index.left_out,
        classes=tuple(
            ClassCount(label=label, **{name: int(counts[name][n]) for name in SPLITS})
            for n, label in enumerate(index.labels)
        ),
        scarce=named(counts["train"] < mean / _UNBALANCED),
        abundant=named(counts["train"] > mean * _UNBALANCED),
        untested=named((counts["val"] == 0) | (counts["test"] == 0)),
        duplicates=exact,
        near_duplicates=near,
    )


def channel_statistics(
    dataset: Dataset, split: SplitName = "train", *, progress: Progress = Silent()
) -> ChannelStatistics:
    """The statistics of a split; exact, from a count of every value, in one pass over the memory map."""
    images = dataset.split(split).images
    counts = np.zeros((3, 256), dtype=np.int64)
    dark = bright = 0
    progress.start(f"measuring {dataset.index.name}", len(images), "images")
    for start in range(0, len(images), _CHUNK):
        chunk = np.asarray(images[start : start + _CHUNK])
        for channel in range(3):
            counts[channel] += np.bincount(chunk[..., channel].ravel(), minlength=256)
        means = chunk.mean(axis=(1, 2, 3))
        dark += int((means < _NEARLY_BLACK).sum())
        bright += int((means > _NEARLY_WHITE).sum())
        progress.advance(len(chunk))
    progress.finish()
    total = counts.sum(axis=1)
    mean = counts @ _LEVELS / total
    # Levels are small integers, so the difference of moments loses nothing in float64.
    std = np.sqrt(counts @ (_LEVELS**2) / total - mean**2)
    return ChannelStatistics(mean=_rgb(mean), std=_rgb(std), nearly_black=dark, nearly_white=bright)


def _split(dataset: Dataset, name: SplitName) -> SplitSummary:
    counts = _counts(dataset, name)
    return SplitSummary(
        split=name,
        images=int(counts.sum()),
        classes=int((counts > 0).sum()),
        smallest_class=int(counts.min()),
        largest_class=int(counts.max()),
    )


def _counts(dataset: Dataset, name: SplitName) -> npt.NDArray[np.int64]:
    """The images of each class in a split."""
    labels = np.asarray(dataset.index.splits[name].labels, dtype=np.int64)
    return np.bincount(labels, minlength=len(dataset.index.labels))


def _rgb(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> RGB:
    red, green, blue = (float(value) / 255.0 for value in values)
    return red, green, blue
