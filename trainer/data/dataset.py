"""A prepared data set on disk, opened without reading its images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml.counting import counted
from tinyml.errors import DataError, ManifestError, UnknownNameError, reason_of
from tinyml.schema import SPLITS, DatasetIdentity, DatasetIndex, SplitIdentity, SplitName
from tinyml.store import file_sha256, read_json

INDEX = "index.json"


@dataclass(frozen=True, kw_only=True)
class Split:
    """One split: `images` uint8 [N, size, size, 3] in RGB, mapped from disk and read-only; `labels` int64 [N]."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A prepared data set; `sha256` is that of its index file, `path` its folder."""

    index: DatasetIndex
    path: Path
    sha256: str

    def split(self, name: SplitName) -> Split:
        """The split called `name`; raises UnknownNameError."""
        if name not in self.index.splits:
            raise UnknownNameError("split", name, self.index.splits)
        labels = np.asarray(self.index.splits[name].labels, dtype=np.int64)
        labels.flags.writeable = False
        return Split(images=_mapped(self.path / f"{name}.npy"), labels=labels)

    @property
    def identity(self) -> DatasetIdentity | None:
        """Which images these are, for what is made of them to remember; None: prepared before that was kept."""
        splits = {
            name: SplitIdentity(images=split.images, content_sha256=split.content_sha256)
            for name, split in self.index.splits.items()
            if split.content_sha256 is not None
        }
        if self.index.data is None or len(splits) < len(self.index.splits):
            return None
        return DatasetIdentity(data=self.index.data, splits=splits)


class DamagedError(DataError):
    """A prepared data set whose files do not fit its index."""


def open_prepared(path: Path, *, again: str) -> Dataset:
    """The data set in the folder `path`, its arrays' shapes and sizes checked against the index.

    `again` is the command that prepares it anew, for the DamagedError raised if something does not fit. The contents
    of the arrays are not read; `verify` does that.
    """
    try:
        index = read_json(path / INDEX, DatasetIndex)
        dataset = Dataset(index=index, path=path, sha256=file_sha256(path / INDEX))
        size = index.preprocess.input_size
        if set(index.splits) != set(SPLITS):
            raise ManifestError(f"{path / INDEX} lacks a split", value=", ".join(index.splits))
        for name in SPLITS:
            split = dataset.split(name)
            if split.images.shape != (len(split), size, size, 3) or split.images.dtype != np.uint8:
                raise ManifestError(
                    f"{path / name}.npy has shape {split.images.shape}, its index {counted(len(split), 'image')}"
                )
            if len(split) != index.splits[name].images or split.labels.max(initial=0) >= len(index.labels):
                raise ManifestError(f"{path / INDEX} contradicts itself about {name}")
    except (ManifestError, ValueError, EOFError, OSError) as error:
        raise DamagedError(
            f"the prepared data set is damaged ({reason_of(error)})", hint=f"prepare it again: {again}"
        ) from None
    return dataset


def check_arrays(dataset: Dataset, *, again: str) -> None:
    """Reads the arrays whole and compares their checksums with the index; raises DamagedError."""
    for name, split in dataset.index.splits.items():
        path = dataset.path / f"{name}.npy"
        if file_sha256(path) != split.sha256:
            raise DamagedError("changed since it was prepared", value=str(path), hint=f"prepare it again: {again}")


def _mapped(path: Path) -> npt.NDArray[np.uint8]:
    images: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    return images
