"""Data sets: prepared ones, and which images one stands for."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import model_validator

from .base import SCHEMA_VERSION, Count, PositiveInt, Provenance, Record, Sha256
from .preprocess import Preprocess

SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)


class SplitInfo(Record):
    """One split of a prepared data set: a uint8 array [images, size, size, 3] and its class numbers."""

    images: Count
    sha256: Sha256
    labels: tuple[Count, ...]
    content_sha256: Sha256 | None = None
    """Of the images' files and classes, whatever they are called and whoever decodes them: sorted lines of class and
    SHA-256 of the file. None: prepared before this was kept."""
    paths: tuple[str, ...] = ()
    """Of the images' files below the source, in the array's order; empty: prepared before this was kept."""

    @model_validator(mode="after")
    def _one_class_an_image(self) -> Self:
        if len(self.labels) != self.images or len(self.paths) not in (0, self.images):
            raise ValueError(f"there are {self.images} images, {len(self.labels)} classes and {len(self.paths)} paths")
        return self


class LeftOut(Record):
    """Files of one kind that lay in a source and were not taken."""

    what: str
    """".HEIC", "hidden", "dangling link"."""
    files: PositiveInt
    first: str
    """Where the first of them lies."""
    hint: str | None = None
    """What would let them be read."""


class DatasetIndex(Record):
    """The index of a prepared data set; its `.npy` memory maps lie beside it."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["dataset"] = "dataset"
    name: str
    source: str
    class_ids: tuple[str, ...]
    labels: tuple[str, ...]
    """Readable and unique, in the order of `class_ids`."""
    preprocess: Preprocess
    split_rule: str
    seed: int
    splits: dict[SplitName, SplitInfo]
    skipped: tuple[str, ...] = ()
    fingerprint: Sha256 | None = None
    """Of the source folder's files (path, size, time), where the source is a folder of the user's that may change."""
    left_out: tuple[LeftOut, ...] = ()
    data: str | None = None
    """The words that open it from anywhere: a name, or an absolute path; None: prepared before this was kept."""
    provenance: Provenance


class SplitIdentity(Record):
    """What makes a split that split; see `SplitInfo`."""

    images: Count
    content_sha256: Sha256


class DatasetIdentity(Record):
    """Which images a network was trained and tested on, kept with it, so that others are never taken for them."""

    data: str
    """The words that open it from anywhere: a name, or an absolute path."""
    splits: dict[SplitName, SplitIdentity]
