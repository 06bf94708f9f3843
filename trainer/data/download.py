"""Fetching one large file: resumed where it was cut, checked when it is whole."""

from __future__ import annotations

import http.client
import math
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tinyml import __version__
from tinyml.errors import DataError, reason_of
from tinyml.full_disk import full_disk_told
from tinyml.progress import Progress, Silent
from tinyml.store import file_sha256

from .room import ELSEWHERE

_BLOCK = 1 << 16
_MB = 1_000_000
_TIMEOUT_S = 30.0
_ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file at `url`, with the size and checksum that it must have; kept as `file`."""

    url: str
    file: str
    size_bytes: int
    sha256: str


def fetch(download: Download, folder: Path, *, hint: str, progress: Progress = Silent()) -> Path:
    """The path of the downloaded file in `folder`, fetched where it lacks.

    What has come lies in a `.part` file, which a later call goes on with; the file gets its name only once its size
    and checksum are right. Raises DataError that ends with `hint` if that cannot be reached.
    """
    path = folder / download.file
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{download.file}.part"
    for attempt in range(_ATTEMPTS):
        before = _size(part)
        if before >= download.size_bytes:
            break
        failure = _receive(download, part, progress)
        if failure is not None and (attempt == _ATTEMPTS - 1 or _size(part) <= before):
            raise DataError(f"cannot fetch {download.url} ({failure})", hint=hint)
    progress.finish()
    found = file_sha256(part)
    if _size(part) != download.size_bytes or found != download.sha256:
        part.unlink()
        raise DataError(
            f"what {download.url} sent is not the file expected, and was deleted",
            value=f"sha256 {found}",
            allowed=download.sha256,
            hint=hint,
        )
    part.replace(path)
    return path


def _receive(download: Download, part: Path, progress: Progress) -> str | None:
    """Appends to `part` what the server sends, from the start again if it cannot do ranges.

    Returns what went wrong before the whole file was there, or None.
    """
    have = _size(part)
    request = urllib.request.Request(download.url, headers={"User-Agent": f"tinyml/{__version__}"})  # noqa: S310
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            done = have if resumed else 0
            size_mb = download.size_bytes / _MB
            label = f"fetching {download.file}, {size_mb:,.1f} MB"
            progress.start(label, math.ceil(size_mb), "MB", done=done // _MB)
            with full_disk_told(part, elsewhere=ELSEWHERE), part.open("ab" if resumed else "wb") as file:
                while done <= download.size_bytes and (block := response.read(_BLOCK)):
                    file.write(block)
                    progress.advance((done + len(block)) // _MB - done // _MB)
                    done += len(block)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # what is here is longer than what is there: not a part of the same file
            part.unlink()
        return f"HTTP {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return reason_of(error.reason) if isinstance(error.reason, OSError) else str(error.reason)
    except (http.client.HTTPException, OSError) as error:
        return reason_of(error)
    if done < download.size_bytes:
        return f"cut off at {done:,} of {download.size_bytes:,} bytes; the same command goes on from there"
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
