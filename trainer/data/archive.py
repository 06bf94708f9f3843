"""Unpacking an archive from anywhere: nothing lands outside its place, and nothing grows without bound.

All members go into one file, back to back: a hundred thousand small files would cost minutes on a slow disk.
"""

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

import numpy as np

from tinyml.errors import DataError, reason_of
from tinyml.full_disk import full_disk_told
from tinyml.progress import Progress, Silent

from .files import Files
from .listing import is_hidden
from .room import ELSEWHERE

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
    size_bytes: int
    open: Callable[[], IO[bytes] | None]


def is_archive(path: Path) -> bool:
    """Whether `path` is a zip or a (compressed) tar, by its content."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpack(
    archive: Path,
    store: Path,
    *,
    limits: Limits,
    skip: Callable[[str], bool] = is_hidden,
    progress: Progress = Silent(),
) -> Files:
    """Unpacks the files of a zip or tar into the one file `store`, which must outlive the result.

    Folders and regular files only: a member with an absolute path, with "..", a link or a device raises DataError
    that names it, as do a damaged archive and one beyond `limits`. Members for which `skip` holds are left out.
    """
    progress.start(f"unpacking {archive.name}", None, "files")
    places: dict[str, tuple[int, int]] = {}
    try:
        with full_disk_told(store, elsewhere=ELSEWHERE), _members(archive) as members, store.open("wb") as file:
            for number, member in enumerate(members):
                if number >= limits.members:
                    raise DataError("archive of too many files", value=str(archive), allowed=f"up to {limits.members}")
                name = _checked(member, archive)
                if member.kind == "folder" or skip(name):
                    continue
                start = file.tell()
                _copy(member, file, limits.total_bytes, archive)
                places[name] = (start, file.tell())
                progress.advance()
    except _BROKEN as error:
        raise DataError(f"cannot unpack the archive ({reason_of(error)})", value=str(archive)) from None
    progress.finish()
    content = np.memmap(store, mode="r", dtype=np.uint8) if store.stat().st_size else np.empty(0, np.uint8)

    def read(name: str) -> bytes:
        start, end = places[name]
        return content[start:end].tobytes()

    return Files(origin=str(archive), names=frozenset(places), read=read)


def _checked(member: _Member, archive: Path) -> str:
    """The member's name as a relative path; raises DataError for one that would land elsewhere, or is no file."""
    path = PurePosixPath(member.name.replace("\\", "/"))
    if member.kind not in ("file", "folder"):
        raise DataError(f"{archive} has a member that is no file or folder", value=f"{member.name} ({member.kind})")
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        raise DataError(f"{archive} has a member outside of its folder", value=member.name)
    return path.as_posix()


def _copy(member: _Member, file: IO[bytes], allowed_bytes: int, archive: Path) -> None:
    """Appends a member's content, counting what really comes out rather than what its header promises."""
    source = member.open()
    if source is None:
        raise DataError(f"{archive} has a member without content", value=member.name)
    start = file.tell()
    with source:
        while block := source.read(_BLOCK):
            if file.tell() + len(block) > allowed_bytes:
                raise DataError("archive too large when unpacked", value=str(archive), allowed=f"{allowed_bytes} bytes")
            file.write(block)
    if file.tell() - start != member.size_bytes:
        raise DataError(f"{archive} has a member that ends early", value=member.name)


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
        yield _Member(name=info.filename, kind=kind, size_bytes=info.file_size, open=partial(archive.open, info))


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        kind = "folder" if info.isdir() else "file" if info.isreg() else "link" if _is_link(info) else "device"
        yield _Member(name=info.name, kind=kind, size_bytes=info.size, open=partial(archive.extractfile, info))


def _is_link(info: tarfile.TarInfo) -> bool:
    return info.islnk() or info.issym()
