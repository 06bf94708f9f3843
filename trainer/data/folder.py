"""Any folder of images: `train/<class>/…` with optional `val/` and `test/`, or just `<class>/…`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml.errors import DataError
from tinyml.progress import Progress
from tinyml.schema import Preprocess, SplitName

from .dataset import Dataset
from .files import is_hidden
from .images import ENDINGS, decode
from .splitting import balanced_split
from .writing import Contents, Item

_SEED = 0
_PREPROCESS = Preprocess()
_LAYOUT = "train/<class>/<images> with optional val/ and test/, or <class>/<images>"


@dataclass(frozen=True, kw_only=True)
class ImageFolder:
    """The source of a data set in the folder `root`, an absolute path; `data` is how the user wrote it."""

    data: str
    root: Path

    @property
    def cache_name(self) -> str:
        """The folder's name and a hash of its path."""
        return f"{self.root.name}-{hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]}"

    def made(self, dataset: Dataset) -> bool:
        """Whether `dataset` was prepared from the files that lie here now."""
        return dataset.index.source == str(self.root) and dataset.index.fingerprint == self._fingerprint()

    def contents(self, scratch: Path, progress: Progress) -> Contents:  # noqa: ARG002
        """The classes and splits found in the folder; raises DataError if it is not laid out as one of images."""
        if (self.root / "wnids.txt").is_file():
            raise DataError(
                "this folder is Tiny ImageNet as published",
                value=self.data,
                hint=f"prepare it with: tinyml data prepare --source {self.data}",
            )
        fingerprint = self._fingerprint()
        base = self.root / "train" if (self.root / "train").is_dir() else self.root
        classes = tuple(sorted(path.name for path in _folders(base)))
        if not classes:
            raise DataError("no class folders", value=str(base), allowed=_LAYOUT)
        found = _items(base, self.root, classes)
        counts = np.bincount([item.label for item in found], minlength=len(classes))
        if not found:
            raise DataError("no images", value=str(base), allowed=", ".join(sorted(ENDINGS)))
        if (counts == 0).any():
            empty = classes[int(counts.argmin())]
            raise DataError("a class without images", value=str(base / empty), allowed=", ".join(sorted(ENDINGS)))
        if len(classes) < 2:
            raise DataError("one class only, nothing to tell apart", value=str(base), allowed=_LAYOUT)
        splits, rule = self._split(found, classes, base)
        return Contents(
            name=self.root.name,
            source=str(self.root),
            class_ids=classes,
            labels=classes,
            split_rule=rule,
            seed=_SEED,
            splits=splits,
            read=self._read,
            preprocess=_PREPROCESS,
            fingerprint=fingerprint,
        )

    def _read(self, item: Item) -> npt.NDArray[np.uint8]:
        path = self.root / item.path
        return decode(path, _PREPROCESS, str(path))

    def _split(
        self, found: list[Item], classes: tuple[str, ...], base: Path
    ) -> tuple[dict[SplitName, list[Item]], str]:
        """The three splits, and in words how they came about."""
        val = self._given("val", classes) if base != self.root else []
        test = self._given("test", classes) if base != self.root else []
        ranked = f"by rank of sha256('{_SEED}/path') within each class"
        train = found
        if val and test:
            return {"train": train, "val": val, "test": test}, "train/, val/ and test/ as given"
        if val:
            test, val = balanced_split(val, (0.5,), _SEED)
            if not val:
                raise DataError("too few images in val/ to make a test split of them", value=str(self.root / "val"))
            return {
                "train": train,
                "val": val,
                "test": test,
            }, f"train/ as given, val/ halved into val and test {ranked}"
        if test:
            val, train = balanced_split(found, (0.2,), _SEED)
            rule = f"train/ into 80% train and 20% val {ranked}, test/ as given"
        else:
            test, val, train = balanced_split(found, (0.2, 0.1), _SEED)
            rule = f"{'train/' if base != self.root else 'all'} into 70% train, 10% val and 20% test {ranked}"
        counts = np.bincount([item.label for item in train], minlength=len(classes))
        if (counts == 0).any():
            few = classes[int(counts.argmin())]
            raise DataError("too few images in a class to split it", value=str(base / few), allowed="at least 3")
        return {"train": train, "val": val, "test": test}, rule

    def _given(self, split: str, classes: tuple[str, ...]) -> list[Item]:
        """The images of `val/` or `test/`; none where there is no such folder."""
        base = self.root / split
        if not base.is_dir():
            return []
        for folder in _folders(base):
            if folder.name not in classes:
                raise DataError("a class that train/ does not have", value=str(folder))
        items = _items(base, self.root, classes)
        if not items:
            raise DataError("no images in the classes of a split", value=str(base), allowed=_LAYOUT)
        return items

    def _fingerprint(self) -> str:
        whole = hashlib.sha256()
        for path in _images(self.root):
            stat = path.stat()
            name = os.fsencode(path.relative_to(self.root))
            whole.update(name + f"\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
        return whole.hexdigest()


def _folders(base: Path) -> list[Path]:
    return [path for path in base.iterdir() if path.is_dir() and not is_hidden(path.name)]


def _items(base: Path, root: Path, classes: tuple[str, ...]) -> list[Item]:
    return [
        Item(path=path.relative_to(root).as_posix(), label=label)
        for label, name in enumerate(classes)
        for path in _images(base / name)
    ]


def _images(folder: Path) -> Iterator[Path]:
    """All image files below `folder`, sorted, hidden ones left out."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(files):
            if not is_hidden(name) and Path(name).suffix.lower() in ENDINGS:
                yield Path(parent, name)
