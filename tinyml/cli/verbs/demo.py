"""`tinyml demo`: the whole job on drawn images, to see what comes out."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..app import app, run
from ..output import Output
from .export import show_exported


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where everything is written to.")] = Path("tinyml-demo"),
) -> None:
    """Train, export, verify, measure and report a small network on images drawn on the spot, in a minute or two."""
    from tinyml.demo import ANNOUNCEMENT, demonstrate
    from tinyml.workspace import PROJECT_PAGE, Workspace

    out = Output()
    out.line(f"{ANNOUNCEMENT} Everything is written to {folder}/.")
    # So small a network gains little from a second thread, and loses a hundred times that where another process holds
    # a core: the threads wait for each other after every layer. Read when torch is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    outcome = demonstrate(folder, out.line, runner=here)
    if outcome.code:
        raise typer.Exit(outcome.code)
    if "export" in outcome.kept:
        show_exported(out, Workspace(folder / "results").artifacts())
    out.line(f"worth opening: {folder / 'results' / PROJECT_PAGE}")


def here(words: Sequence[str], folder: Path) -> int:
    """Runs a command in this process, as if it had been typed in `folder`."""
    before = sys.argv
    sys.argv = [before[0], *words]  # records name the command that wrote them
    try:
        with contextlib.chdir(folder):
            return run(list(words))
    finally:
        sys.argv = before
