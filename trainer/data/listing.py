"""What lies in a folder of the user's: the image files, and all that is not taken for one, with the reason.

One walk serves both the listing and the fingerprint, so nothing is read that is not watched. Links are followed, into
folders too; what would never end (a link to a folder that holds it, a named pipe) is left out by name.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tinyml.schema import LeftOut

from .image_formats import obstacle, readable_endings
from .images import shown

SYSTEM_NAMES = frozenset(
    {
        "__macosx",
        "@eadir",  # a Synology's thumbnails, which end in .jpg
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "thumbs.db",
        "desktop.ini",
    }
)
"""Names, in lower case, that a system puts into people's folders."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One image file: its path below the root as the file system spells it, its size and time through any link."""

    path: str
    size_bytes: int
    mtime_ns: int

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's parts."""
        return PurePosixPath(self.path).parts


@dataclass(kw_only=True)
class Listing:
    """The image files below `root`, sorted by path; the folders, without those left out; what was left out."""

    root: Path
    images: list[Found] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    passed_over: list[tuple[str, str]] = field(default_factory=list)
    """Reason and path of each."""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all images' paths, sizes and times."""
        whole = hashlib.sha256()
        for image in self.images:
            whole.update(os.fsencode(image.path) + f"\0{image.size_bytes}\0{image.mtime_ns}\n".encode())
        return whole.hexdigest()

    def leave_out(self, path: str, reason: str) -> None:
        """Notes that something is not taken."""
        self.passed_over.append((reason, path))

    def left_out(self) -> tuple[LeftOut, ...]:
        """All that is not taken, by reason, the most frequent first."""
        groups: dict[str, list[str]] = {}
        for reason, path in self.passed_over:
            groups.setdefault(reason, []).append(path)
        rows = (
            LeftOut(
                what=shown(reason),
                files=len(paths),
                first=shown(min(paths)),
                hint=obstacle(reason),
            )
            for reason, paths in groups.items()
        )
        return tuple(sorted(rows, key=lambda row: (-row.files, row.what)))


def is_hidden(name: str) -> bool:
    """Whether a path is one that no user put there: in or of a hidden or a system's name."""
    return any(part.startswith(".") or part.lower() in SYSTEM_NAMES for part in PurePosixPath(name).parts)


def list_folder(root: Path) -> Listing:
    """Walks the folder `root`; raises OSError only where `root` itself cannot be listed."""
    listing = Listing(root=root)
    whole = root.resolve()
    _walk(listing, "", _names(root), frozenset(map(_identity, (whole, *whole.parents))))
    listing.images.sort(key=lambda image: os.fsencode(image.path))
    return listing


def _walk(listing: Listing, base: str, names: list[str], above: frozenset[tuple[int, int]]) -> None:
    for name in sorted(names):
        path = f"{base}/{name}" if base else name
        place = listing.root / path
        if is_hidden(name):
            listing.leave_out(path, "hidden" if name.startswith(".") else "of the system")
            continue
        try:
            status = place.stat()
        except OSError:
            listing.leave_out(path, "dangling link" if place.is_symlink() else "unreadable")
            continue
        if stat.S_ISDIR(status.st_mode):
            here = (status.st_dev, status.st_ino)
            if here in above:
                listing.leave_out(path, "link to a folder that holds it")
                continue
            try:
                inside = _names(place)
            except OSError:
                listing.leave_out(path, "unreadable folder")
                continue
            listing.folders.append(path)
            _walk(listing, path, inside, above | {here})
        elif not stat.S_ISREG(status.st_mode):
            listing.leave_out(path, "pipe or device")
        elif (ending := PurePosixPath(name).suffix).lower() in readable_endings():
            listing.images.append(Found(path=path, size_bytes=status.st_size, mtime_ns=status.st_mtime_ns))
        else:
            listing.leave_out(path, ending or "without an ending")


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def sentence(left_out: tuple[LeftOut, ...]) -> str:
    """In words what was left out: "left out: 8 .HEIC (first: ant/a.HEIC; read by …), 2 hidden (first: …)"."""
    return "left out: " + ", ".join(_words(row) for row in left_out)


def _words(row: LeftOut) -> str:
    what = _PLURALS.get(row.what, row.what) if row.files > 1 else row.what
    where = f"{'first: ' if row.files > 1 else ''}{row.first}"
    return f"{row.files:,} {what} ({'; '.join(part for part in (where, row.hint) if part)})"


_PLURALS = {
    "dangling link": "dangling links",
    "unreadable folder": "unreadable folders",
    "image in no class folder": "images in no class folder",
    "link to a folder that holds it": "links to folders that hold them",
    "pipe or device": "pipes or devices",
}


def children(paths: list[str], base: str) -> Iterator[str]:
    """The names that lie directly in `base` ("" for the root) among `paths`."""
    for path in paths:
        parent, _, name = path.rpartition("/")
        if parent == base:
            yield name
