"""What a kind of data set must do, the menu of kinds, and from a user's words to one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tinyml.commands import command
from tinyml.errors import DataError, UnknownNameError, UsageError, reason_of
from tinyml.progress import Progress
from tinyml.registry import Registry

from .dataset import Dataset
from .writing import Contents


class Source(Protocol):
    """Where one data set comes from."""

    @property
    def data(self) -> str:
        """The words that open it from anywhere: a name, or an absolute path."""

    @property
    def given(self) -> Path | None:
        """Where the user said it lies; None: where `data` says, or where it is fetched from."""

    @property
    def cache_name(self) -> str:
        """The name of its folder in the cache."""

    def made(self, dataset: Dataset) -> bool:
        """Whether the prepared `dataset` came from just this source as it is now."""

    def contents(self, scratch: Path, progress: Progress) -> Contents:
        """What is to be prepared; `scratch` is an empty folder that goes afterwards."""


class SourceKind(Protocol):
    """A kind of data set, registered in `tinyml.trainer.data.sources.<kind>`."""

    @property
    def named(self) -> bool:
        """Whether `--data` takes its registered name for a data set; else only the paths that it takes."""

    @property
    def summary(self) -> str:
        """What it is, for lists and messages."""

    def available(self) -> str | None:
        """Why none of this kind can be had here; None: it can."""

    def takes(self, path: Path) -> bool:
        """Whether what lies at the existing `path` is a data set of this kind; False for kinds that have a name."""

    def source(self, path: Path | None) -> Source:
        """The source at `path`; None: the one that the kind's name stands for.

        Raises UsageError where the kind cannot do either.
        """


sources: Registry[SourceKind] = Registry("data set", package="tinyml.trainer.data.sources")


def find_source(data: str, given: Path | None = None) -> Source:
    """The source that a user's words mean: a kind's name, or a path that one of the kinds takes.

    Args:
        data: A name or a path.
        given: Where the named data set lies, instead of where it is usually fetched from.

    Raises:
        UnknownNameError: It is no kind's name and nothing lies there.
        UnavailableError: The kind cannot be had here.
        DataError: What lies there is no data set of any kind.
        UsageError: `given` for a kind that does not come from a file.
    """
    named = [name for name, kind in sources.items() if kind.named]
    if data in named:
        return sources.get(data).source(given)
    if given is not None:
        raise UsageError("a source is for Tiny ImageNet only", value=data, hint="give a folder with --data")
    path = Path(data).expanduser()
    try:
        data.encode()
    except UnicodeEncodeError:
        raise DataError(
            "the path of a data set is not UTF-8, so no file could remember it",
            value=data,
            hint="rename the folder, or give a link to it",
        ) from None
    try:
        exists = path.exists()
    except OSError as error:
        raise DataError(f"cannot read the data set ({reason_of(error)})", value=data) from None
    if exists:
        for kind in (kind for _, kind in sources.items() if kind.takes(path)):
            return kind.source(path)
        raise DataError("a data set is a folder of images, this is a file", value=data)
    if len(path.parts) > 1:
        raise DataError("a link to a folder that is not there" if path.is_symlink() else "no such folder", value=data)
    raise UnknownNameError("data set", data, (*named, "a folder of images"))


def prepare_command(source: Source) -> str:
    """The command that prepares it anew, from the same place."""
    given = () if source.given is None else ("--source", source.given.expanduser().resolve())
    return command("data", "prepare", "--data", source.data, *given)
