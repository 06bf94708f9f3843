"""Keeps what was explained beside the model, with its pictures."""

from __future__ import annotations

import io
from pathlib import Path

from tinyml.store import write_bytes, write_json
from tinyml.workspace import Workspace

from .explain import Explained
from .pictures import overview, worst_mistakes


def keep(explained: Explained, workspace: Workspace) -> list[Path]:
    """Writes `<variant>.json`, `<variant>.png` and `<variant>-mistakes.png`, and returns what was written."""
    explanation = explained.explanation
    folder = workspace.explained(explanation.model)
    record, picture = folder / f"{explanation.variant}.json", folder / f"{explanation.variant}.png"
    write_json(record, explanation)
    write_bytes(picture, overview(explanation))
    written = [record, picture]
    grid = worst_mistakes(explained.asked, explained.images, explained.truth)
    mistakes = folder / f"{explanation.variant}-mistakes.png"
    if grid is None:
        mistakes.unlink(missing_ok=True)
    else:
        buffer = io.BytesIO()
        grid.save(buffer, format="PNG")
        write_bytes(mistakes, buffer.getvalue())
        written.append(mistakes)
    return written
