"""`tinyml models`: the architectures and what they cost."""

from __future__ import annotations

from typing import Annotated

import typer

from ..app import app
from ..options import Json
from ..output import Output


@app.command()
def models(
    classes: Annotated[int, typer.Option("--classes", help="Number of classes of the data set.")] = 200,
    json: Json = False,
) -> None:
    """List the models with their parameters and multiply-accumulates for one 64x64 image."""
    from tinyml.trainer.architecture import summaries

    out = Output(json=json)
    rows = summaries(classes)
    out.table(
        f"Models for {classes} classes, 64x64 images",
        ["name", "architecture", "parameters", "million MACs", "paper"],
        [[row.name, row.title, f"{row.parameters:,}", f"{row.macs / 1e6:,.0f}", row.paper] for row in rows],
    )
    out.document(rows)
