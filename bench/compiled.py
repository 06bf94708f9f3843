"""Models compiled ahead, kept by what they were compiled of, so that only the first round pays and is timed."""

from __future__ import annotations

import contextlib
import platform
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyml.scratch import temporary_folder
from tinyml.store import atomic_folder, file_sha256
from tinyml.workspace import cache_dir

from .backend import Backend, Subject


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What to load."""

    path: Path
    compile_ns: int | None
    """How long it took just now; None: nothing was compiled."""
    cold: bool
    """Whether its first load in this process is the first since it was compiled (or there is nothing to compile)."""


@contextlib.contextmanager
def compiled_model(backend: Backend, subject: Subject, *, anew: bool) -> Iterator[Compiled]:
    """The subject compiled for its backend, for the time of the block.

    Args:
        backend: Who compiles.
        subject: What.
        anew: Compile although a compiled one is kept, into a fresh folder that no system can have cached.
    """
    kept = cache_dir() / "compiled" / f"{file_sha256(subject.path)}-{_system()}"
    if not anew and (found := _only(kept)) is not None:
        yield Compiled(path=found, compile_ns=None, cold=False)
        return
    with temporary_folder("compiled") as folder:
        begin = time.perf_counter_ns()
        path = backend.compile(subject, folder)
        spent = time.perf_counter_ns() - begin
        if path == subject.path:
            yield Compiled(path=path, compile_ns=None, cold=True)
            return
        yield Compiled(path=path, compile_ns=spent, cold=True)
        if _only(kept) is None:
            with atomic_folder(kept) as target:
                shutil.copytree(path, target / path.name)


def _only(folder: Path) -> Path | None:
    found = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
    return found[0] if len(found) == 1 else None


def _system() -> str:
    """A compiled model is the system's own: another version of it may refuse or misread one."""
    return f"{platform.system()}-{platform.mac_ver()[0] or platform.release()}".lower()
