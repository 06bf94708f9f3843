"""Atomic reading and writing of the JSON files that stages hand to each other.

A file is written to a temporary name beside its place, synced and renamed, so a reader sees the old one or the new one,
never a half. A folder is filled under a temporary name and renamed in the same way. A temporary is locked by its
process for as long as that lives, so the next one can sweep up after those that were killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from tinyml.commit import version
from tinyml.errors import ManifestError, UsageError, reason_of
from tinyml.full_disk import full_disk_told
from tinyml.locks import locked, try_lock
from tinyml.schema import PATTERNS, SCHEMA_VERSION, Provenance, Record
from tinyml.scratch import temporary_folder
from tinyml.upgrades import UPGRADES

R = TypeVar("R", bound=Record)

MAX_JSON_BYTES = 256 * 1024 * 1024
_SCALARS = (str, int, float, bool, type(None))


def write_json(path: Path, record: Record) -> None:
    """Writes `record` to `path`, atomically; the folder is made where it lacks."""
    write_bytes(path, (record.model_dump_json(indent=2) + "\n").encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path`: a temporary file, synced, renamed."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def check_folder(path: Path) -> None:
    """Raises UsageError where `path`, or what it would lie in, is a file."""
    for folder in (path, *path.parents):
        if folder.is_file():
            raise UsageError("a file, where a folder is needed", value=folder, hint="name another place")


def _check_no_folder(path: Path) -> None:
    if path.is_dir():
        raise UsageError("a folder, where a file shall be written", value=path, hint="name a file")


def check_output(path: Path, suffix: str) -> None:
    """Raises UsageError, before any work, for a file that cannot be written, or is called like one of another kind.

    A device or a pipe is called as it likes.
    """
    _check_no_folder(path)
    if _is_stream(path):
        return
    if path.suffix.lower() != suffix:
        raise UsageError("what is written there is another kind of file", value=path, allowed=f"a name in {suffix}")
    check_folder(path.parent)


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path` that takes its place when the block ends without an error.

    A device, a pipe or an open file of this process (`/dev/null`, `/dev/stdout`) is written to then, and stays.

    Raises:
        UsageError: A folder lies there.
        FullDiskError: There is no room; the old file, if any, stays.
    """
    _check_no_folder(path)
    if _is_stream(path):
        with temporary_folder("stream") as folder:
            yield folder / "content"
            with (folder / "content").open("rb") as content, path.open("wb") as stream:
                shutil.copyfileobj(content, stream)
        return
    with full_disk_told(path), _called(path), _parents_of(path):
        sweep(path.parent, path)
        temporary, lock = locked(lambda: _new_file(path))
        try:
            with full_disk_told(path):  # while what was written still fills it
                yield temporary
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
            os.close(lock)


def _is_stream(path: Path) -> bool:
    """Whether `path` is something to write to and not to replace."""
    if path.exists() and not path.is_file():
        return True
    led_to = path.parent / path.readlink() if path.is_symlink() else path
    return Path(f"/proc/{os.getpid()}/fd") in (path.parent.resolve(), led_to.parent.resolve())


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder beside `path` that replaces it when the block ends without an error.

    Raises:
        FullDiskError: There is no room; the old folder, if any, stays.
    """
    with full_disk_told(path), _called(path), _parents_of(path):
        sweep(path.parent, path)
        temporary, lock = locked(lambda: _new_folder(path, "tmp"))
        try:
            with full_disk_told(path):
                yield temporary
            temporary.chmod(0o777 & ~_umask())
            if path.exists():
                old, old_lock = locked(lambda: _new_folder(path, "old"))
                path.replace(old / path.name)
                temporary.replace(path)
                shutil.rmtree(old)
                os.close(old_lock)
            else:
                temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            os.close(lock)


@contextlib.contextmanager
def _called(path: Path) -> Iterator[None]:
    """Lets what the system refuses name `path`, which people know, and not the temporary beside it."""
    try:
        yield
    except OSError as error:
        named = error.filename
        if isinstance(named, str | os.PathLike) and Path(named).name.startswith((f".{path.stem}.", f".{path.name}.")):
            error.filename = str(path)
        raise


@contextlib.contextmanager
def _parents_of(path: Path) -> Iterator[None]:
    """Makes the folder of `path`; what was made for a block that fails goes with it."""
    check_folder(path.parent)
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


@contextlib.contextmanager
def only_process(path: Path) -> Iterator[bool]:
    """Holds the lock file `path` for as long as the block runs; False: another living process holds it.

    The file names the process that holds it, and goes with it; one that a killed process left is taken over. Where
    the file system knows no locks, every process is the only one.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            yield False
            return
        except OSError:
            pass
        if path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            break
        os.close(handle)  # its holder removed it in between
    try:
        with full_disk_told(path):
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
        yield True
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def sweep(folder: Path, path: Path | None = None) -> None:
    """Removes the temporaries in `folder` that killed processes left: of the target `path`, or of any.

    A folder that was moved aside when its process was killed, before the new one took its place, is put back.
    """
    names = {re.escape(name) for name in (path.name, path.stem)} if path else {".+"}
    for left in list(folder.iterdir()):
        match = re.fullmatch(rf"\.(?:{'|'.join(names)})\.(tmp|old)-[a-z0-9_]{{8}}(?:\.[^.]*)?", left.name)
        if match is None or left.is_symlink() or (lock := try_lock(left)) is None:
            continue
        if left.is_dir():
            for moved in left.iterdir() if match[1] == "old" else ():
                if not (folder / moved.name).exists():
                    moved.replace(folder / moved.name)
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
        os.close(lock)


def sweep_locks(folder: Path) -> None:
    """Removes the lock files of `only_process` in `folder` that killed processes left."""
    for left in folder.glob(".*.lock"):
        if (handle := try_lock(left)) is not None:
            left.unlink(missing_ok=True)
            os.close(handle)


def _new_file(path: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.tmp-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    return Path(name)


def _new_folder(path: Path, kind: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f".{path.name}.{kind}-", dir=path.parent))


def read_json(path: Path, kind: type[R]) -> R:
    """The record in `path`; raises ManifestError that names the file and the first thing wrong with it."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ManifestError("file too large for a manifest", value=path, allowed=f"at most {MAX_JSON_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ManifestError("no such file", value=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"cannot read {path}", value=reason_of(error)) from None
    return parse_json(text, kind, str(path))


def parse_json(text: str, kind: type[R], name: str) -> R:
    """The record in `text`; `name` stands for its origin in errors."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ManifestError(f"{name} is not JSON", value=str(error)) from None
    if not isinstance(data, dict):
        raise ManifestError(f"{name} holds no JSON object", value=type(data).__name__)
    expected = kind.model_fields["kind"].default if "kind" in kind.model_fields else None
    if expected is not None:
        if data.get("kind") != expected:
            raise ManifestError(
                f"{name} is not a {expected} file", value=data.get("kind"), allowed=f"kind = {expected!r}"
            )
        data = _upgraded(data, name)
    try:
        return kind.model_validate_json(json.dumps(data))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        problem, seen = first["msg"].removeprefix("Value error, "), first.get("input")
        if first["type"] == "string_pattern_mismatch":
            problem = f"should be {PATTERNS[first['ctx']['pattern']]}"
        found = f", not {seen!r}" if first["type"] != "extra_forbidden" and isinstance(seen, _SCALARS) else ""
        raise ManifestError(f"{name} does not fit its schema", value=f"{where}: {problem}{found}") from None


def _upgraded(data: dict[str, Any], name: str) -> dict[str, Any]:
    """`data` in the current schema version.

    A file of a newer version is refused rather than read in part: what it adds may change what a number means.
    """
    version = data.get("schema_version")
    theirs, ours = _version(version), _version(SCHEMA_VERSION)
    if theirs is None or ours is None:
        raise ManifestError(f"{name} names no schema version", value=version, allowed=f"1.0 to {SCHEMA_VERSION}")
    if theirs > ours:
        raise ManifestError(
            f"{name} was written by a newer tinyml",
            value=f"schema {version}",
            allowed=f"up to {SCHEMA_VERSION}",
            hint="upgrade tinyml to read it",
        )
    for major in range(theirs[0], ours[0]):
        if major not in UPGRADES:
            raise ManifestError(f"{name} is of a version that is no longer read", value=f"schema {version}")
        data = UPGRADES[major](data)
    return {**data, "schema_version": SCHEMA_VERSION}


def _version(text: object) -> tuple[int, int] | None:
    match = re.fullmatch(r"(\d{1,6})\.(\d{1,6})", text) if isinstance(text, str) else None
    return (int(match[1]), int(match[2])) if match else None


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, or of a folder's sorted (relative path, content hash) pairs."""
    if path.is_dir():
        whole = hashlib.sha256()
        for member in sorted(p for p in path.rglob("*") if p.is_file()):
            whole.update(f"{member.relative_to(path).as_posix()}\0{file_sha256(member)}\n".encode())
        return whole.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size_bytes(path: Path) -> int:
    """The bytes of a file, or of all the files in a folder."""
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size


def now() -> str:
    """The time, UTC, to the second: "2026-11-23T17:05:09Z"."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def provenance(*, packages: tuple[str, ...] = (), limit: int | None = None) -> Provenance:
    """The provenance of a file made now by this process; `packages` are the distributions whose versions matter."""
    versions = {name: metadata.version(name) for name in packages}
    return Provenance(created_at=now(), command=this_command(), tool_version=version(), packages=versions, limit=limit)


def this_command() -> str:
    """What was typed to start this process, as far as it knows: the program without its folder, and its arguments."""
    if not sys.argv or not sys.argv[0]:
        return "python"
    program = Path(sys.argv[0])
    words = ["python", "-m", program.parent.name] if program.name == "__main__.py" else [program.name]
    return shlex.join([*words, *sys.argv[1:]])


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
