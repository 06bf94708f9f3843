"""Any folder of images: `train/<class>/…` with optional `val/` and `test/`, or just `<class>/…`."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from tinyml.commands import command
from tinyml.errors import DataError, UsageError, reason_of
from tinyml.progress import Progress
from tinyml.schema import Preprocess, SplitName

from ..dataset import Dataset
from ..image_formats import readable_endings
from ..images import decode, read_file, shown
from ..listing import Listing, children, list_folder, sentence
from ..source import Source, sources
from ..splitting import balanced_split
from ..writing import Contents, Item, Picture

_SEED = 0
_PREPROCESS = Preprocess()
_LAYOUT = "train/<class>/<images> with optional val/ and test/, or <class>/<images>"

_NAMES: dict[SplitName, frozenset[str]] = {
    "train": frozenset({"train", "training", "trn"}),
    "val": frozenset({"val", "valid", "validate", "validation", "dev", "devel", "development"}),
    "test": frozenset({"test", "testing", "tst", "heldout", "holdout"}),
}
"""What people call their splits, in any case, also as "training_set", "test-images", "Validation Data"."""

_SPLITS = "train, val and test, or their usual other names (training, valid, validation, dev, testing, …)"


def split_of(name: str) -> SplitName | None:
    """The split that a folder's name stands for, if any."""
    word = re.sub(r"[\W_]+", " ", name.casefold()).strip()
    word = re.sub(r" ?(set|data|dataset|images|split)$", "", word).replace(" ", "")
    return next((split for split, names in _NAMES.items() if word in names), None)


@dataclass(frozen=True, kw_only=True)
class ImageFolder:
    """The source of a data set in the folder `root`, an absolute path."""

    root: Path

    @property
    def data(self) -> str:
        """The folder's absolute path."""
        return str(self.root)

    @property
    def given(self) -> None:
        """The words that open it say where it lies."""
        return

    @property
    def cache_name(self) -> str:
        """The folder's name and a hash of its path."""
        return f"{self.root.name}-{hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]}"

    def made(self, dataset: Dataset) -> bool:
        """Whether `dataset` was prepared from the files that lie here now."""
        return dataset.index.source == str(self.root) and dataset.index.fingerprint == self._list().fingerprint

    def contents(self, scratch: Path, progress: Progress) -> Contents:  # noqa: ARG002
        """The classes and splits found in the folder; raises DataError if it is not laid out as one of images."""
        if (self.root / "wnids.txt").is_file():
            raise DataError(
                "this folder is Tiny ImageNet as published",
                value=self.data,
                hint=f"prepare it with: {command('data', 'prepare', '--source', self.root)}",
            )
        listing = self._list()
        bases = _bases(listing)
        classes = _classes(listing, bases["train"])
        found = {split: _items(listing, base, classes) for split, base in bases.items()}
        _check_every_class(listing, bases["train"], classes, found["train"])
        for split in ("val", "test"):
            if split in found and not found[split]:
                raise DataError(
                    "no images in the classes of a split", value=f"{self.root}/{bases[split]}", allowed=_LAYOUT
                )
        splits, rule = _split(found, bases, classes, self.root)
        if left_out := listing.left_out():
            progress.say(sentence(left_out))
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
            fingerprint=listing.fingerprint,
            left_out=left_out,
            data=self.data,
        )

    def _list(self) -> Listing:
        try:
            return list_folder(self.root)
        except OSError as error:
            raise DataError(f"cannot read the folder ({reason_of(error)})", value=self.data) from None

    def _read(self, item: Item) -> Picture:
        name = shown(f"{self.root}/{item.path}")
        content = read_file(Path(self.root, item.path), name)
        return Picture(pixels=decode(BytesIO(content), _PREPROCESS, name), origin=content)


class _Kind:
    named = False
    summary = "a folder of images"

    def available(self) -> str | None:
        return None

    def takes(self, path: Path) -> bool:
        return path.is_dir()

    def source(self, path: Path | None) -> Source:
        if path is None:
            raise UsageError("a folder of images has no name of its own", hint="give its path: --data path/to/images")
        return ImageFolder(root=path.resolve())


sources.add("folder", _Kind())


def _bases(listing: Listing) -> dict[SplitName, str]:
    """The folder that holds the classes of each split there is, below the root; {"train": ""}: the root itself.

    A folder with a split's name is one if it holds folders; if it holds images only, it is a class of that name, as
    long as it is not the only kind of folder there. Raises DataError for what fits neither.
    """
    top = sorted(children(listing.folders, ""))
    holders = [name for name in top if split_of(name) and any(children(listing.folders, name))]
    if not holders:
        if top and all(split_of(name) for name in top):
            raise DataError(
                "images without class folders",
                value=f"{listing.root}/{shown(top[0])}",
                allowed=_LAYOUT,
                hint=f"if {' and '.join(map(shown, top))} are classes, put them into a folder called train",
            )
        _check_no_split_within(listing, top)
        return {"train": ""}
    bases: dict[SplitName, str] = {}
    for name in top:
        split = split_of(name)
        place = f"{listing.root}/{shown(name)}"
        if split is None:
            raise DataError(
                f"a folder beside {holders[0]}/ that is no split",
                value=place,
                allowed=_SPLITS,
                hint=f"move it away; or, if {holders[0]} is a class, put all classes into a folder called train",
            )
        if name not in holders:
            raise DataError("a split without class folders", value=place, allowed=_LAYOUT)
        if split in bases:
            raise DataError(
                f"two folders for the {split} split", value=f"{listing.root}/{bases[split]} and {name}", allowed="one"
            )
        bases[split] = name
    if "train" not in bases:
        raise DataError(f"no train/ beside {holders[0]}/", value=str(listing.root), allowed=_LAYOUT)
    return bases


def _check_no_split_within(listing: Listing, classes: list[str]) -> None:
    """Raises DataError where a class would hold a train split, whose images would be mixed with those of the others."""
    for name in classes:
        inside = next((each for each in sorted(children(listing.folders, name)) if split_of(each) == "train"), None)
        if inside is None:
            continue
        place = listing.root / name
        if any(children(listing.folders, f"{name}/{inside}")):
            hint = f"the data set lies one folder deeper: {command('data', 'explore', '--data', place)}"
        else:
            hint = f"put the classes into the splits: {shown(f'{listing.root}/{inside}/{name}')}"
        raise DataError("a split inside of a class", value=shown(f"{place}/{inside}"), allowed=_LAYOUT, hint=hint)


def _classes(listing: Listing, base: str) -> tuple[str, ...]:
    names = set()
    for name in children(listing.folders, base):
        try:
            name.encode()
        except UnicodeEncodeError:
            raise DataError(
                "the name of a class folder is not UTF-8",
                value=shown(f"{listing.root}/{base}/{name}" if base else f"{listing.root}/{name}"),
                hint="rename it",
            ) from None
        names.add(unicodedata.normalize("NFC", name))
    if not names:
        raise DataError(f"no class folders{_excuse(listing, base)}", value=str(listing.root / base), allowed=_LAYOUT)
    return tuple(sorted(names))


def _items(listing: Listing, base: str, classes: tuple[str, ...]) -> list[Item]:
    """The images in the classes of a split, by class; those in none are left out by name."""
    number = {name: label for label, name in enumerate(classes)}
    for name in children(listing.folders, base):
        if unicodedata.normalize("NFC", name) not in number:
            near = next((each for each in classes if each.casefold() == name.casefold()), None)
            raise DataError(
                "a class that train/ does not have",
                value=shown(f"{listing.root}/{base}/{name}"),
                hint=f"there it is called {near!r}" if near else None,
            )
    prefix = f"{base}/" if base else ""
    items = []
    for image in listing.images:
        if not image.path.startswith(prefix):
            continue
        name, slash, _ = image.path.removeprefix(prefix).partition("/")
        if slash:
            items.append(Item(path=image.path, label=number[unicodedata.normalize("NFC", name)]))
        else:
            listing.leave_out(image.path, "image in no class folder")
    if base:
        # An image beside the splits belongs to none of them; the train split's turn is enough to say so.
        strays = [image.path for image in listing.images if "/" not in image.path] if split_of(base) == "train" else []
        for path in strays:
            listing.leave_out(path, "image in no class folder")
    return sorted(items, key=lambda item: item.label)


def _check_every_class(listing: Listing, base: str, classes: tuple[str, ...], items: list[Item]) -> None:
    place, endings = listing.root / base, ", ".join(sorted(readable_endings()))
    if not items:
        raise DataError(f"no images{_excuse(listing, base)}", value=str(place), allowed=endings)
    counts = np.bincount([item.label for item in items], minlength=len(classes))
    if (counts == 0).any():
        empty = classes[int(counts.argmin())]
        excuse = _excuse(listing, f"{base}/{empty}" if base else empty)
        raise DataError(f"a class without images{excuse}", value=str(place / empty), allowed=endings)
    if len(classes) < 2:
        raise DataError("one class only, nothing to tell apart", value=str(place), allowed=_LAYOUT)


def _excuse(listing: Listing, base: str) -> str:
    """What was left out below `base`, in parentheses."""
    below = Listing(root=listing.root)
    below.passed_over = [
        (reason, path) for reason, path in listing.passed_over if not base or f"{path}/".startswith(f"{base}/")
    ]
    rows = below.left_out()
    return f" ({sentence(rows)})" if rows else ""


def _split(
    found: Mapping[SplitName, list[Item]], bases: Mapping[SplitName, str], classes: tuple[str, ...], root: Path
) -> tuple[dict[SplitName, list[Item]], str]:
    """The three splits, and in words how they came about."""
    train, val, test = found["train"], found.get("val", []), found.get("test", [])
    shown_as = {split: f"{base}/" for split, base in bases.items()}
    ranked = f"by rank of sha256('{_SEED}/path') within each class"
    if val and test:
        rule = f"{shown_as['train']}, {shown_as['val']} and {shown_as['test']} as given"
        return {"train": train, "val": val, "test": test}, rule
    if val:
        test, val = balanced_split(val, (0.5,), _SEED)
        if not val:
            raise DataError(
                f"too few images in {shown_as['val']} to make a test split of them", value=str(root / bases["val"])
            )
        rule = f"{shown_as['train']} as given, {shown_as['val']} halved into val and test {ranked}"
        return {"train": train, "val": val, "test": test}, rule
    if test:
        val, rest = balanced_split(train, (0.2,), _SEED)
        rule = f"{shown_as['train']} into 80% train and 20% val {ranked}, {shown_as['test']} as given"
    else:
        test, val, rest = balanced_split(train, (0.2, 0.1), _SEED)
        rule = f"{shown_as['train'] if bases['train'] else 'all'} into 70% train, 10% val and 20% test {ranked}"
    counts = np.bincount([item.label for item in rest], minlength=len(classes))
    if (counts == 0).any():
        few = classes[int(counts.argmin())]
        raise DataError(
            "too few images in a class to split it", value=str(root / bases["train"] / few), allowed="at least 3"
        )
    return {"train": rest, "val": val, "test": test}, rule
