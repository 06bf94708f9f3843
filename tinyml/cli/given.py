"""The models that a verb was given, or what stands for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .output import Output

if TYPE_CHECKING:
    from tinyml.workspace import Workspace


def given_or_newest(paths: Sequence[Path] | None, workspace: Workspace, out: Output) -> list[Path]:
    """`paths`, or the newest checkpoint, which is then named; raises CheckpointError where there is none."""
    if paths:
        return list(paths)
    newest = workspace.newest_checkpoint()
    out.line(f"checkpoint {newest}")
    return [newest]
