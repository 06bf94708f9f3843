"""The folder that an export goes to: one process at a time, and what another training left there is kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import ArtifactError, ManifestError
from tinyml.schema import Checkpoint
from tinyml.store import only_process, sweep, sweep_locks
from tinyml.workspace import ARTIFACT_MANIFEST, Workspace, checkpoint_origin, read_artifact


@contextlib.contextmanager
def only_one(target: Path) -> Iterator[None]:
    """Raises ArtifactError where another process writes to `target` just now; removes what killed ones left."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep(target.parent)
    sweep_locks(target.parent)
    with only_process(target.with_name(f".{target.name}.lock")) as alone:
        if not alone:
            raise ArtifactError(
                "another process exports there", value=target, hint="wait for it, or name another folder: --results"
            )
        yield


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An export of another training, or one whose manifest cannot be read."""

    folder: Path
    """Where it is now."""
    origin: Path | None
    """The checkpoint it was made of; None: its manifest does not say so to this version."""


def keep_earlier(target: Path, workspace: Workspace, checkpoint: Checkpoint, manifest: Path) -> Kept | None:
    """Moves the export of another training in `target` out of the way; one of the same training will be replaced.

    Args:
        target: Where an export is about to go.
        workspace: Which says where earlier ones are kept.
        checkpoint: What is exported.
        manifest: Its manifest.
    """
    try:
        there, _ = read_artifact(target / ARTIFACT_MANIFEST)
    except ManifestError:
        if not (target / ARTIFACT_MANIFEST).exists():
            return None
        return _moved(target, workspace, checkpoint, None)
    origin = checkpoint_origin(there, target / ARTIFACT_MANIFEST)
    if there.checkpoint_sha256 == checkpoint.sha256 or origin.resolve() == manifest.resolve():
        return None
    return _moved(target, workspace, checkpoint, origin)


def _moved(target: Path, workspace: Workspace, checkpoint: Checkpoint, origin: Path | None) -> Kept:
    folder = workspace.earlier(checkpoint.spec.architecture, target.name, origin or Path())
    folder.parent.mkdir(parents=True, exist_ok=True)
    target.rename(folder)
    return Kept(folder=folder, origin=origin)


def told_from(folder: Path, manifest: Path, workspace: Workspace) -> str:
    """A checkpoint's `manifest`, relative to an export's folder where both lie in `workspace`, so that it can move."""
    manifest = manifest.resolve()
    if manifest.is_relative_to(workspace.root.resolve()):
        return os.path.relpath(manifest, folder.resolve())
    return str(manifest)
