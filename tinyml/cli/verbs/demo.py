"""`tinyml demo`: the whole job on drawn images, to see what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import app
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
    outcome = demonstrate(folder, out.line)
    if outcome.code:
        raise typer.Exit(outcome.code)
    if "export" in outcome.kept:
        show_exported(out, Workspace(folder / "results").artifacts())
    out.line(f"worth opening: {folder / 'results' / PROJECT_PAGE}")
