"""`tinyml halve`: a checkpoint to keep or to send."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from ..app import app
from ..options import Json
from ..output import Output


@app.command()
def halve(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint: its .json or its .safetensors.")],
    output: Annotated[Path, typer.Option(help="A new folder for it.", file_okay=False)],
    shard_mb: Annotated[
        float | None,
        typer.Option("--shard-mb", help="Largest file of weights, in MB; more than that goes to several and an index."),
    ] = None,
    json: Json = False,
) -> None:
    """Write a checkpoint in half the bytes, its weights in float16. All verbs take it as they take the whole one."""
    from tinyml.commands import command
    from tinyml.errors import UsageError
    from tinyml.trainer.halving import halve as write

    out = Output(json=json)
    if shard_mb is not None and not 0 < shard_mb < math.inf:
        raise UsageError("--shard-mb out of range", value=shard_mb, allowed="above 0")
    made = write(checkpoint, output, largest=None if shard_mb is None else int(shard_mb * 1e6))
    out.line(f"wrote {made.manifest}: {made.size / 1e6:.2f} MB of weights, {made.size_before / 1e6:.2f} MB before")
    out.line(f"measure it again: {command('eval', made.manifest)}")
    out.document({"path": str(made.manifest), "bytes": made.size, "bytes_before": made.size_before})
