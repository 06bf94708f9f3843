"""`tinyml schema`: the JSON Schema of all files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import app
from ..options import Json
from ..output import Output


@app.command()
def schema(
    output: Annotated[Path, typer.Option("--output", help="The folder to write to.")] = Path("results/schema"),
    json: Json = False,
) -> None:
    """Write the JSON Schema of every manifest and result file."""
    from tinyml.json_schema import write_schemas

    out = Output(json=json)
    paths = [str(path) for path in write_schemas(output)]
    out.table("JSON Schema (draft 2020-12)", ["file"], [[path] for path in paths])
    out.document(paths)
