"""Tiny ImageNet as published: 200 classes of 500 training images, 10,000 validation images, 64x64 JPEG.

http://cs231n.stanford.edu/tiny-imagenet-200.zip (Stanford CS231n)
"""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from tinyml.errors import DataError, UnavailableError
from tinyml.progress import Progress
from tinyml.schema import Preprocess
from tinyml.workspace import cache_dir

from ..archive import Limits, is_archive, unpack
from ..dataset import INDEX, Dataset
from ..download import Download, fetch
from ..files import Files, folder_files
from ..images import decode
from ..listing import is_hidden
from ..source import Source, sources
from ..splitting import balanced_split
from ..writing import Contents, Item, Picture

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
    "without a network: --data FOLDER takes images of your own, --data shapes is drawn on the spot, and "
    "tinyml data prepare --source FILE_OR_FOLDER takes a copy of Tiny ImageNet"
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
            files = unpack(path, scratch / "members", limits=self.limits, skip=_is_unwanted, progress=progress)
        else:
            files = folder_files(path)
        return _contents(_at_root(files), source, self.layout)


_NEEDED_BYTES = 1_900_000_000
"""The download, its files and the arrays, which lie side by side for a while."""


@dataclass(frozen=True)
class _Kind:
    named = True
    summary: str = "Tiny ImageNet, 200 classes; fetched at first use (248 MB)"

    def available(self) -> str | None:
        cache = cache_dir()
        if (cache / "datasets" / "tiny-imagenet" / INDEX).exists():
            return None
        there = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
        free = shutil.disk_usage(there).free
        if free < _NEEDED_BYTES:
            return f"needs {_NEEDED_BYTES / 1e9:.1f} GB in {cache} to be prepared, {free / 1e9:.1f} GB are free"
        return None

    def takes(self, path: Path) -> bool:  # noqa: ARG002
        return False

    def source(self, path: Path | None) -> Source:
        if path is None and (reason := self.available()) is not None:
            raise UnavailableError(f"tiny-imagenet {reason}", hint="TINYML_CACHE names another place")
        return TinyImageNet(given=path)


sources.add("tiny-imagenet", _Kind())


def _is_unwanted(member: str) -> bool:
    """Whether an archive's member is hidden or one of the published test images, which have no labels."""
    return is_hidden(member) or "/test/images/" in f"/{member}"


def _at_root(files: Files) -> Files:
    """The files below the folder that holds `wnids.txt`: the given one or one in it."""
    for name in sorted(files.names):
        folder, _, last = name.rpartition("/")
        if last == "wnids.txt" and "/" not in folder:
            return files.below(f"{folder}/" if folder else "")
    raise DataError("no wnids.txt: this is not Tiny ImageNet as published", value=files.origin)


def _contents(files: Files, source: str, layout: TinyImageNetLayout) -> Contents:
    classes = tuple(sorted(set(files.lines("wnids.txt"))))
    if len(classes) != layout.classes:
        raise DataError(
            f"{files.shown('wnids.txt')} lists the wrong number of classes",
            value=len(classes),
            allowed=str(layout.classes),
        )
    train, test = _train(files, classes, layout), _validation(files, classes, layout)
    missing = tuple(files.shown(item.path) for item in (*train, *test) if item.path not in files.names)
    val, rest = balanced_split(train, (0.2,), _SEED)

    def there(items: list[Item]) -> list[Item]:
        return [item for item in items if item.path in files.names]

    def read(item: Item) -> Picture:
        content = files.read(item.path)
        return Picture(pixels=decode(io.BytesIO(content), _PREPROCESS, files.shown(item.path)), origin=content)

    return Contents(
        name="tiny-imagenet",
        source=source,
        class_ids=classes,
        labels=_labels(files, classes),
        split_rule=f"train/ into 80% train and 20% val by rank of sha256('{_SEED}/path') in each class; val/ is test",
        seed=_SEED,
        splits={"train": there(rest), "val": there(val), "test": there(test)},
        read=read,
        preprocess=_PREPROCESS,
        missing=missing,
        data="tiny-imagenet",
    )


def _train(files: Files, classes: tuple[str, ...], layout: TinyImageNetLayout) -> list[Item]:
    """The training images that there should be; raises DataError for one that there should not."""
    items = [
        Item(path=f"train/{wnid}/images/{wnid}_{number}.JPEG", label=label)
        for label, wnid in enumerate(classes)
        for number in range(layout.per_class)
    ]
    present = {name for name in files.names if name.startswith("train/") and "/images/" in name}
    if foreign := sorted(present - {item.path for item in items}):
        raise DataError("a training image that Tiny ImageNet does not have", value=files.shown(foreign[0]))
    return items


def _validation(files: Files, classes: tuple[str, ...], layout: TinyImageNetLayout) -> list[Item]:
    """The validation images by `val_annotations.txt`, whose lines are name, class and box, tab-separated."""
    annotations = files.shown("val/val_annotations.txt")
    number = {wnid: label for label, wnid in enumerate(classes)}
    items = []
    for line in files.lines("val/val_annotations.txt"):
        name, *fields = line.split("\t")
        if not fields or fields[0] not in number:
            raise DataError(f"{annotations} has a line that names no image and class", value=line)
        items.append(Item(path=f"val/images/{name}", label=number[fields[0]]))
    if len({item.path for item in items}) != layout.val or len(items) != layout.val:
        raise DataError(f"{annotations} lists the wrong number of images", value=len(items), allowed=str(layout.val))
    return items


def _labels(files: Files, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The first synonym of each class; where two classes share it, the first further synonym that none has yet."""
    synonyms = {}
    for line in files.lines("words.txt"):
        wnid, _, names = line.partition("\t")
        synonyms[wnid] = [name.strip() for name in names.split(",") if name.strip()]
    for wnid in classes:
        if not synonyms.get(wnid):
            raise DataError(f"{files.shown('words.txt')} has no name for a class", value=wnid)
    firsts = [synonyms[wnid][0] for wnid in classes]
    labels: list[str] = []
    for wnid, first in zip(classes, firsts, strict=True):
        taken = {*labels, *firsts}
        others = [name for name in synonyms[wnid][1:] if name not in taken]
        shared = firsts.count(first) > 1
        labels.append(next(iter(others), f"{first} ({wnid})") if shared else first)
    return tuple(labels)
