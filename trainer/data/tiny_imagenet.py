"""Tiny ImageNet as published: 200 classes of 500 training images, 10,000 validation images, 64x64 JPEG.

http://cs231n.stanford.edu/tiny-imagenet-200.zip (Stanford CS231n)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml.errors import DataError
from tinyml.progress import Progress
from tinyml.schema import Preprocess
from tinyml.workspace import cache_dir

from .archive import Limits, is_archive, unpack
from .dataset import Dataset
from .download import Download, fetch
from .images import decode
from .splitting import balanced_split
from .writing import Contents, Item

ORIGINAL = Download(
    url="http://cs231n.stanford.edu/tiny-imagenet-200.zip",
    file="tiny-imagenet-200.zip",
    size_bytes=248_100_043,
    sha256="6198c8ae015e2b3e007c7841da39ec069199b9aa3bfa943a462022fe5e43c821",
)
"""Stanford publishes no checksum; many projects pin this one, and the MD5 90528d7ca1a48142e341f4ef8d21d0de."""

_SEED = 0
_PREPROCESS = Preprocess()
_OFFLINE = (
    "without a network give the file or folder: tinyml data prepare --source FILE_OR_FOLDER, or use --data shapes"
)


@dataclass(frozen=True, kw_only=True)
class TinyImageNetLayout:
    """How much there must be of everything."""

    classes: int = 200
    per_class: int = 500
    val: int = 10_000


@dataclass(frozen=True, kw_only=True)
class TinyImageNet:
    """The source of the data set: the archive or folder `given`, or the download."""

    given: Path | None = None
    layout: TinyImageNetLayout = TinyImageNetLayout()
    original: Download = ORIGINAL
    limits: Limits = field(default_factory=Limits)
    data: str = "tiny-imagenet"
    cache_name: str = "tiny-imagenet"

    def made(self, dataset: Dataset) -> bool:
        """Whether `dataset` came from the file or folder given; any will do where none is."""
        return self.given is None or dataset.index.source == str(self.given.expanduser().resolve())

    def contents(self, scratch: Path, progress: Progress) -> Contents:
        """Fetches and unpacks what has to be, checks the layout and lists the images."""
        if self.given is None:
            path = fetch(self.original, cache_dir() / "downloads", hint=_OFFLINE, progress=progress)
            source = self.original.url
        else:
            path = self.given.expanduser().resolve()
            source = str(path)
        if not path.exists():
            raise DataError("no such file or folder", value=source)
        if path.is_file():
            if not is_archive(path):
                raise DataError("not an archive", value=source, allowed=".zip, .tar, .tar.gz, .tar.xz, .tar.bz2")
            progress.say(f"unpacking {path.name}")
            unpack(path, scratch, limits=self.limits, skip=_is_unlabelled, progress=progress)
            path = scratch
        return _contents(_root(path, source), source, self.layout)


def _is_unlabelled(member: str) -> bool:
    """Whether an archive's member is one of the published test images, which have no labels."""
    return "/test/images/" in f"/{member}"


def _root(folder: Path, source: str) -> Path:
    """`folder`, or the one folder in it, whichever holds `wnids.txt`."""
    for root in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
        if (root / "wnids.txt").is_file():
            return root
    raise DataError("no wnids.txt: this is not Tiny ImageNet as published", value=source)


def _contents(root: Path, source: str, layout: TinyImageNetLayout) -> Contents:
    classes = tuple(sorted(_lines(root / "wnids.txt")))
    if len(set(classes)) != layout.classes or len(classes) != layout.classes:
        raise DataError(
            f"{root / 'wnids.txt'} lists the wrong number of classes", value=len(classes), allowed=str(layout.classes)
        )
    train, missing = _train(root, classes, layout)
    test, missing_test = _validation(root, classes, layout)
    val, rest = balanced_split(train, (0.2,), _SEED)

    def read(item: Item) -> npt.NDArray[np.uint8]:
        return decode(root / item.path, _PREPROCESS)

    return Contents(
        name="tiny-imagenet",
        source=source,
        class_ids=classes,
        labels=_labels(root / "words.txt", classes),
        split_rule=f"train/ into 80% train and 20% val by rank of sha256('{_SEED}/path') in each class; val/ is test",
        seed=_SEED,
        splits={"train": rest, "val": val, "test": test},
        read=read,
        preprocess=_PREPROCESS,
        missing=(*missing, *missing_test),
    )


def _train(root: Path, classes: tuple[str, ...], layout: TinyImageNetLayout) -> tuple[list[Item], list[str]]:
    """The training images that are there, and the paths of those that are not."""
    items, missing = [], []
    for label, wnid in enumerate(classes):
        folder = root / "train" / wnid / "images"
        if not folder.is_dir():
            raise DataError("a class folder is missing", value=str(folder))
        there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        expected = [f"{wnid}_{number}.JPEG" for number in range(layout.per_class)]
        if foreign := sorted(there - set(expected)):
            raise DataError("a file that Tiny ImageNet does not have", value=str(folder / foreign[0]))
        for name in expected:
            path = f"train/{wnid}/images/{name}"
            if name in there:
                items.append(Item(path=path, label=label))
            else:
                missing.append(str(root / path))
    return items, missing


def _validation(root: Path, classes: tuple[str, ...], layout: TinyImageNetLayout) -> tuple[list[Item], list[str]]:
    """The same of the validation images, labelled by `val_annotations.txt`: name, class, box, tab-separated."""
    annotations = root / "val" / "val_annotations.txt"
    number = {wnid: label for label, wnid in enumerate(classes)}
    items, missing = [], []
    folder = root / "val" / "images"
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    rows = [line.split("\t") for line in _lines(annotations)]
    if len({row[0] for row in rows}) != layout.val or len(rows) != layout.val:
        raise DataError(f"{annotations} lists the wrong number of images", value=len(rows), allowed=str(layout.val))
    for row in rows:
        if len(row) < 2 or row[1] not in number or "/" in row[0] or "\\" in row[0]:
            raise DataError(f"{annotations} has a line that names no image and class", value="\t".join(row))
        path = f"val/images/{row[0]}"
        if row[0] in there:
            items.append(Item(path=path, label=number[row[1]]))
        else:
            missing.append(str(root / path))
    return items, missing


def _labels(words: Path, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The first synonym of each class; where two classes share it, the first further synonym that none has yet."""
    synonyms = {}
    for line in _lines(words):
        wnid, _, names = line.partition("\t")
        synonyms[wnid] = [name.strip() for name in names.split(",") if name.strip()]
    for wnid in classes:
        if not synonyms.get(wnid):
            raise DataError(f"{words} has no name for a class", value=wnid)
    firsts = [synonyms[wnid][0] for wnid in classes]
    labels: list[str] = []
    for wnid, first in zip(classes, firsts, strict=True):
        taken = {*labels, *firsts}
        others = [name for name in synonyms[wnid][1:] if name not in taken]
        shared = firsts.count(first) > 1
        labels.append(next(iter(others), f"{first} ({wnid})") if shared else first)
    return tuple(labels)


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except FileNotFoundError:
        raise DataError("a file of Tiny ImageNet is missing", value=str(path)) from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text", value=str(error)) from None
