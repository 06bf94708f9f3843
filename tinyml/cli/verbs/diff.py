"""`tinyml diff`: where two models part."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from ..app import app
from ..options import InputShapes, InputValues, Json, ProgramPrecision, ProgramUnits
from ..output import Output


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(help="The reference: an .mlpackage or a checkpoint.")],
    b: Annotated[Path, typer.Argument(help="The other one, of the same network: an .mlpackage or a checkpoint.")],
    image: Annotated[Path | None, typer.Option(help="An image for the image input; random noise otherwise.")] = None,
    inputs: InputValues = None,
    function: Annotated[
        str | None, typer.Option(help="Which function of both, or of the reference where --function-b is given.")
    ] = None,
    function_b: Annotated[str | None, typer.Option(help="Which function of the other one.")] = None,
    shape: InputShapes = None,
    limit: Annotated[int, typer.Option(min=1, help="How many values to show.")] = 20,
    plot: Annotated[Path | None, typer.Option(help="Write a PNG of PSNR along the network.", dir_okay=False)] = None,
    precision: ProgramPrecision = None,
    compute_units: ProgramUnits = None,
    json: Json = False,
) -> None:
    """Run two models on the same input and show where they part: PSNR and largest difference per op, worst first.

    A checkpoint runs as the float32 Core ML program that it converts to, unrounded.
    """
    from dataclasses import asdict

    from tinyml.coreml.tools.diff import plot as draw
    from tinyml.coreml.tools.diff import steepest, value_differences
    from tinyml.coreml.tools.inputs import image_inputs, make_inputs
    from tinyml.coreml.trace.axes import whole_shapes
    from tinyml.export.checkpoint_package import is_checkpoint, open_program
    from tinyml.store import check_output

    out = Output(json=json)
    if plot is not None:
        check_output(plot, ".png")
    chosen = cast(Literal["declared", "float32"] | None, precision)  # refused where it is neither
    of_b = function_b or (None if is_checkpoint(b) else function)
    first, second = (
        open_program(path, name, precision=chosen, compute_units=compute_units)
        for path, name in ((a, function), (b, of_b))
    )
    for side, path in (("a", a), ("b", b)):
        if is_checkpoint(path):
            out.line(f"{side}: the checkpoint {path}, converted to a Core ML program in float32")
    asked = [*(inputs or ()), *(image_inputs(first.input_description, image) if image is not None else ())]
    given = make_inputs(first.input_description, asked, shapes=whole_shapes(first.input_description, shape or ()))
    values, others = first.trace(given, first.new_state()), second.trace(given, second.new_state())
    differences = value_differences(values, others, first.kinds)
    empty = [item.name for item in differences if item.nan]
    out.table(
        f"{a.name} against {b.name}: {len(differences)} of {len(values)} values, worst first",
        ["value", "op", "shape", "PSNR dB", "largest", "relative"],
        [
            [d.name, d.kind, "x".join(map(str, d.shape)), f"{d.psnr_db:.1f}", f"{d.largest:.3g}", f"{d.relative:.2g}"]
            for d in differences[:limit]
        ],
    )
    if empty:
        out.line(f"NaN throughout on both sides, which shows no agreement: {', '.join(empty)}")
    enters = steepest(differences) if min(d.psnr_db for d in differences) < math.inf else None
    if enters is None:
        out.line("no difference in any value")
    else:
        out.line(f"PSNR falls most at {enters.name} ({enters.kind or 'input'}), to {enters.psnr_db:.1f} dB")
    if plot is not None:
        draw(differences, plot, f"{a.name} against {b.name}")
        out.line(f"wrote {plot}")
    out.document(
        {
            "a": str(a),
            "b": str(b),
            "converted": [str(path) for path in (a, b) if is_checkpoint(path)],
            "values": len(values),
            "nan": empty,
            "steepest": None if enters is None else enters.name,
            "differences": [asdict(d) for d in differences],
        }
    )
