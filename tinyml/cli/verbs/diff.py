"""`tinyml diff`: where two models part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..app import app
from ..output import Output


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(help="The reference: an .mlpackage or a checkpoint.")],
    b: Annotated[Path, typer.Argument(help="The other one, of the same network: an .mlpackage or a checkpoint.")],
    image: Annotated[Path | None, typer.Option(help="An image for the image input; random noise otherwise.")] = None,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help="name=FILE.npy, name=IMAGE or name=random; repeatable.")
    ] = None,
    function: Annotated[
        str | None, typer.Option(help="Which function of both, or of the reference where --function-b is given.")
    ] = None,
    function_b: Annotated[str | None, typer.Option(help="Which function of the other one.")] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            "--shape", help="The shape of a flexible input: name=1,20,8, or name=WIDTHxHEIGHT for an image; repeatable."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many values to show.")] = 20,
    plot: Annotated[Path | None, typer.Option(help="Write a PNG of PSNR along the network.")] = None,
    precision: Annotated[str | None, typer.Option(help="declared (the default) or float32.")] = None,
    compute_units: Annotated[
        str | None,
        typer.Option(help="Of packages: CPU_ONLY rounds nothing, as Core ML's CPU; the others round as declared."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Run two models on the same input and show where they part: PSNR and largest difference per op, worst first.

    A checkpoint runs as the float32 Core ML program that it converts to, unrounded.
    """
    from contextlib import ExitStack
    from dataclasses import asdict
    from tempfile import TemporaryDirectory
    from typing import cast

    from tinyml.coreml import ReferenceModel
    from tinyml.coreml.plan.planner import Precision
    from tinyml.coreml.read.description import ImageFeature
    from tinyml.coreml.tools.diff import plot as draw
    from tinyml.coreml.tools.diff import steepest, value_differences
    from tinyml.coreml.tools.inputs import make_inputs
    from tinyml.coreml.trace.axes import whole_shapes
    from tinyml.errors import UsageError
    from tinyml.export.checkpoint_package import is_checkpoint, write_package

    out = Output(json=json)
    models: list[ReferenceModel] = []
    with ExitStack() as stack:
        for side, path, name in (("a", a, function), ("b", b, function_b or function)):
            if is_checkpoint(path):
                if name is not None and (side == "a" or function_b is not None):
                    raise UsageError("a checkpoint has no functions", value=name)
                folder = Path(stack.enter_context(TemporaryDirectory()))
                models.append(ReferenceModel(write_package(path, folder), precision="float32", seed=0))
                out.line(f"{side}: the checkpoint {path}, converted to a Core ML program in float32")
            else:
                kind = cast(Precision | None, precision)
                models.append(ReferenceModel(path, name, kind, seed=0, compute_units=compute_units))
        first, second = models
        asked = list(inputs or ())
        if image is not None:
            asked += [f"{n}={image}" for n, f in first.input_description.items() if isinstance(f, ImageFeature)]
        shapes = whole_shapes(first.input_description, shape or ())
        given = make_inputs(first.input_description, asked, shapes=shapes)
        values = first.trace(given, first.make_state() if first.description.states else None)
        others = second.trace(given, second.make_state() if second.description.states else None)
        differences = value_differences(values, others, first.kinds)
        empty = [
            d.name for d in differences if d.name in others and _is_nan(values[d.name]) and _is_nan(others[d.name])
        ]
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
    enters = steepest(differences)
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
            "steepest": enters.name,
            "differences": [_finite(asdict(d)) for d in differences],
        }
    )


def _is_nan(value: Any) -> bool:
    """Whether a value is not one number."""
    return bool(value.size) and value.dtype.kind == "f" and bool((value != value).all())


def _finite(record: dict[str, object]) -> dict[str, object]:
    """JSON has no infinities: None stands for an unlimited PSNR (equal values) or difference."""
    infinite = (float("inf"), float("-inf"))
    return {key: None if value in infinite else value for key, value in record.items()}
