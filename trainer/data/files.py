"""The files of a folder or of an archive, read by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import DataError

from .images import read_file
from .listing import is_hidden


@dataclass(frozen=True, kw_only=True)
class Files:
    """Contents by relative POSIX name; hidden files are not among them. `origin` says where, for messages."""

    origin: str
    names: frozenset[str]
    read: Callable[[str], bytes]

    def shown(self, name: str) -> str:
        """The name as a user finds it."""
        return f"{self.origin}/{name}"

    def lines(self, name: str) -> list[str]:
        """The lines of a text that are not blank; raises DataError if it is missing or no text."""
        if name not in self.names:
            raise DataError("a file is missing", value=self.shown(name))
        try:
            return [line for line in self.read(name).decode().splitlines() if line.strip()]
        except UnicodeDecodeError as error:
            raise DataError(f"no text ({error})", value=self.shown(name)) from None

    def below(self, folder: str) -> Files:
        """The files below one folder, named from there; `folder` is "" or ends with a slash."""
        names = frozenset(name.removeprefix(folder) for name in self.names if name.startswith(folder))
        origin = self.shown(folder).rstrip("/") if folder else self.origin
        return Files(origin=origin, names=names, read=lambda name: self.read(f"{folder}{name}"))


def folder_files(root: Path) -> Files:
    """The regular files of a folder on disk; links are not followed into other folders."""
    names = []
    for parent, _, files in os.walk(root):
        base = Path(parent).relative_to(root).as_posix()
        names += [name if base == "." else f"{base}/{name}" for name in files]
    return Files(
        origin=str(root),
        names=frozenset(name for name in names if not is_hidden(name)),
        read=lambda name: read_file(root / name, str(root / name)),
    )
