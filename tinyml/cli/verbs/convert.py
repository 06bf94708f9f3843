"""`tinyml convert`: ML Programs out of Core ML again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import app
from ..output import Output


@app.command()
def convert(
    package: Annotated[Path, typer.Argument(help="An .mlpackage.")],
    to: Annotated[str, typer.Option("--to", help="onnx or torch.")],
    output: Annotated[Path | None, typer.Option(help="The file to write; beside the package otherwise.")] = None,
    function: Annotated[str | None, typer.Option(help="Which function; the model's default one.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Write a Core ML package as an ONNX model or a torch program, verified against the reference runtime."""
    from tinyml.coreml.tools.convert import SUFFIXES
    from tinyml.coreml.tools.convert import convert as write

    out = Output(json=json)
    path = output or package.with_suffix(SUFFIXES.get(to, ""))
    written = write(package, to, path, function)
    out.line(f"wrote {written.path}: {', '.join(written.inputs)} -> {', '.join(written.outputs)}")
    out.line(f"largest difference to the reference runtime: {written.largest:.2g} (relative)")
    out.document(
        {
            "path": str(written.path),
            "format": written.format,
            "inputs": list(written.inputs),
            "outputs": list(written.outputs),
            "largest_relative_difference": written.largest,
        }
    )
