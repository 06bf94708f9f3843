"""The data set that a checkpoint or an artifact was made with, opened again, and no other in its place."""

from __future__ import annotations

import shlex
from pathlib import Path

from tinyml.counting import counted
from tinyml.errors import DataError
from tinyml.progress import Progress, Silent
from tinyml.schema import DatasetIdentity

from .dataset import DamagedError, Dataset, open_prepared
from .preparing import open_dataset, prepared_place
from .source import prepare_command
from .sources.folder import ImageFolder

_CHOOSE = "give the data set with --data FOLDER"


def reopen(
    data: str, identity: DatasetIdentity | None, given: str | None = None, *, progress: Progress = Silent()
) -> Dataset:
    """The data set that something was made with, checked to be that one.

    Where its folder has gone, its prepared copy in the cache serves, and `progress` is told so. What the user names in
    `given` is taken as it is; `progress` is told what differs. Whoever measures on it asks `check_classes` as well.

    Args:
        data: The words typed at its making; they count where there is no identity.
        identity: What the checkpoint or artifact remembers; None: made before that was kept.
        given: The user's own choice.
        progress: Told of preparation and of differences.

    Raises:
        DataError: It is gone, or holds other images by now; the message says what differs.
        UnknownNameError: No such name.
    """
    if given is not None:
        dataset = open_dataset(given, progress=progress)
        if identity is not None and (found := differences(identity, dataset)):
            progress.say(f"{given} is not the data of its training: {found}")
        return dataset
    if identity is None:
        return open_dataset(data, progress=progress)
    if _is_gone(identity.data):
        return _prepared_copy(identity, progress)
    dataset = open_dataset(identity.data, progress=progress)
    if found := differences(identity, dataset):
        raise DataError(
            f"the data set has changed since the training: {found}",
            value=identity.data,
            hint=f"{_CHOOSE}; as it is now: --data {shlex.quote(identity.data)}, where test images may have been "
            "trained on",
        )
    return dataset


def check_classes(dataset: Dataset, labels: tuple[str, ...]) -> None:
    """Raises DataError if the data set's classes are not those that a model was trained on, `labels` in order."""
    found = dataset.index.labels
    if found == labels:
        return
    at = next((n for n, (one, other) in enumerate(zip(found, labels, strict=False)) if one != other), None)
    there = at if at is not None else min(len(found), len(labels))
    raise DataError(
        f"{dataset.index.data or dataset.path} has other classes than the model was trained on",
        value=_classes(found, there),
        allowed=_classes(labels, there),
        hint="give a data set of the same classes with --data FOLDER",
    )


def _classes(labels: tuple[str, ...], number: int) -> str:
    """How many there are, and which one stands at a place, from 0 on."""
    named = f", number {number + 1} is {labels[number]!r}" if number < len(labels) else ""
    return f"{counted(len(labels), 'class', 'classes')}{named}"


def differences(identity: DatasetIdentity, dataset: Dataset) -> str:
    """In words what `dataset` holds otherwise than it did; empty: the same images in the same splits and classes."""
    now = dataset.identity
    if now is None:
        return "it was prepared by an older tinyml"
    found = []
    for name, before in identity.splits.items():
        after = now.splits[name]
        if after.images != before.images:
            found.append(f"{name} has {counted(after.images, 'image')}, had {before.images:,}")
        elif after.content_sha256 != before.content_sha256:
            found.append(f"{name} has other images or classes, {after.images:,} as before")
    return ", ".join(found)


def _is_gone(data: str) -> bool:
    path = Path(data)
    return path.is_absolute() and not path.is_dir()


def _prepared_copy(identity: DatasetIdentity, progress: Progress) -> Dataset:
    """What the cache still holds of a folder that has gone; raises DataError if that is nothing, or something else."""
    source = ImageFolder(root=Path(identity.data))
    place = prepared_place(source)
    gone = DataError("the data set of the training has gone", value=identity.data, hint=_CHOOSE)
    if not place.exists():
        raise gone
    try:
        dataset = open_prepared(place, again=prepare_command(source))
    except DamagedError:
        raise gone from None
    if found := differences(identity, dataset):
        raise DataError(
            f"the data set of the training has gone, and its prepared copy is another: {found}",
            value=identity.data,
            hint=_CHOOSE,
        )
    progress.say(f"{identity.data} has gone: using the copy prepared from it")
    return dataset
