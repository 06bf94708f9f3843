"""Unpacking an archive from anywhere: nothing lands outside the target, and nothing grows without bound."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from tinyml.errors import DataError
from tinyml.progress import Progress, Silent

_BLOCK = 1 << 20
_UNIX_LINK = 0o12
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may hold at most, so that a bomb cannot fill the disk."""

    members: int = 1_000_000
    total_bytes: int = 4 << 30


@dataclass(frozen=True, kw_only=True)
class _Member:
    name: str
    kind: str
    """"file", "folder" or what else it is."""
    open: Callable[[], IO[bytes] | None]


def is_archive(path: Path) -> bool:
    """Whether `path` is a zip or a (compressed) tar, by its content."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpack(
    archive: Path,
    target: Path,
    *,
    limits: Limits = Limits(),
    skip: Callable[[str], bool] = lambda _: False,
    progress: Progress = Silent(),
) -> None:
    """Unpacks the files of a zip or tar into the folder `target`.

    Folders and regular files only: a member with an absolute path, with "..", a link or a device raises DataError
    that names it, as do a damaged archive and one beyond `limits`. Members for which `skip` holds are left out.
    """
    progress.start(f"unpacking {archive.name}", None, "files")
    written = 0
    try:
        with _members(archive) as members:
            for number, member in enumerate(members):
                if number >= limits.members:
                    raise DataError("archive of too many files", value=str(archive), allowed=f"up to {limits.members}")
                place = _place(member, target, archive)
                if member.kind == "folder" or skip(member.name):
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                written += _copy(member, place, limits.total_bytes - written, archive)
                progress.advance()
    except _BROKEN as error:
        raise DataError(f"cannot unpack the archive ({error})", value=str(archive)) from None
    progress.finish()


def _place(member: _Member, target: Path, archive: Path) -> Path:
    """Where a member goes; raises DataError if that would be outside of `target`."""
    path = PurePosixPath(member.name.replace("\\", "/"))
    if member.kind not in ("file", "folder"):
        raise DataError(f"{archive} has a member that is no file or folder", value=f"{member.name} ({member.kind})")
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        raise DataError(f"{archive} has a member outside of its folder", value=member.name)
    return target / path


def _copy(member: _Member, place: Path, allowance: int, archive: Path) -> int:
    """Copies a member's content, counting what really comes out rather than what its header promises."""
    source = member.open()
    if source is None:
        raise DataError(f"{archive} has a member without content", value=member.name)
    written = 0
    with source, place.open("wb") as file:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > allowance:
                raise DataError("archive too large when unpacked", value=str(archive))
            file.write(block)
    return written


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield _zip_members(opened)
    else:
        # A stream: one pass, and no list of members in memory.
        with tarfile.open(archive, "r|*") as tar:
            yield _tar_members(tar)


def _zip_members(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        unix_type = info.external_attr >> 28
        kind = "folder" if info.is_dir() else "link" if unix_type == _UNIX_LINK else "file"
        yield _Member(name=info.filename, kind=kind, open=partial(archive.open, info))


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        kind = "folder" if info.isdir() else "file" if info.isreg() else "link" if _is_link(info) else "device"
        yield _Member(name=info.name, kind=kind, open=partial(archive.extractfile, info))


def _is_link(info: tarfile.TarInfo) -> bool:
    return info.islnk() or info.issym()
