"""`tinyml convert`: ML Programs out of Core ML again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import app
from ..options import Json
from ..output import Output


@app.command()
def convert(
    package: Annotated[Path, typer.Argument(help="An .mlpackage.")],
    to: Annotated[str, typer.Option("--to", help="onnx or torch.")],
    output: Annotated[
        Path | None, typer.Option(help="The file to write; beside the package otherwise.", dir_okay=False)
    ] = None,
    function: Annotated[str | None, typer.Option(help="Which function; the model's default one.")] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            "--shape",
            help="Fix an input's axes: name=1,20,8 (* leaves one open), name=WIDTHxHEIGHT for an image; repeatable.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write a Core ML package as an ONNX model or a torch program, verified against the reference runtime.

    Axes that the package declares as flexible stay open, and are verified at other allowed sizes as well.
    """
    from tinyml.commands import command
    from tinyml.coreml.tools.convert import SUFFIXES
    from tinyml.coreml.tools.convert import convert as write
    from tinyml.errors import UsageError
    from tinyml.heartbeat import beating

    out = Output(json=json)
    path = output or package.with_suffix(SUFFIXES.get(to, ""))
    if output is None and to in SUFFIXES and path.exists():
        told = command("convert", package, "--to", to, "--output", path)
        raise UsageError("the output is there already", value=path, hint=f"to replace it, name it: {told}")
    with beating(out.progress, f"converting {package.name}"):
        written = write(package, to, path, function, shapes=shape or ())
    out.line(f"wrote {written.path}: {', '.join(written.inputs)} -> {', '.join(written.outputs)}")
    if written.open:
        out.line(f"stayed open: {'; '.join(written.open)}")
    out.line(f"checked at {'; '.join(map(_shown, written.checked))}")
    if written.skipped:
        out.line(f"not checked, since the package itself refuses it: {'; '.join(map(_shown, written.skipped))}")
    out.line(f"largest difference to the reference runtime: {written.largest:.2g} (relative)")
    if written.rounded is not None:
        out.line(f"accepted since the declared types round no less there: {written.rounded:.2g}")
    out.document(
        {
            "path": str(written.path),
            "format": written.format,
            "inputs": list(written.inputs),
            "outputs": list(written.outputs),
            "open": list(written.open),
            "checked": list(written.checked),
            "skipped": list(written.skipped),
            "largest_relative_difference": written.largest,
            "declared_types_round": written.rounded,
        }
    )


def _shown(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
