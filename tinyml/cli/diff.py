"""`tinyml diff`: where two models part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .app import app
from .output import Output


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(help="The reference: an .mlpackage.")],
    b: Annotated[Path, typer.Argument(help="The other one: an .mlpackage of the same network.")],
    image: Annotated[Path | None, typer.Option(help="An image for the image input; random noise otherwise.")] = None,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help="name=FILE.npy, name=IMAGE or name=random; repeatable.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many values to show.")] = 20,
    plot: Annotated[Path | None, typer.Option(help="Write a PNG of PSNR along the network.")] = None,
    precision: Annotated[str, typer.Option(help="declared or float32.")] = "declared",
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Run two packages on the same input and show where they part: PSNR and largest difference per op, worst first."""
    from dataclasses import asdict
    from typing import cast

    from tinyml.export.mil import ReferenceModel
    from tinyml.export.mil.description import ImageFeature
    from tinyml.export.mil.diff import compare
    from tinyml.export.mil.diff import plot as draw
    from tinyml.export.mil.feed import make_inputs
    from tinyml.export.mil.planner import Precision

    out = Output(json=json)
    first = ReferenceModel(a, precision=cast(Precision, precision), seed=0)
    second = ReferenceModel(b, precision=cast(Precision, precision), seed=0)
    asked = list(inputs or ())
    if image is not None:
        asked += [f"{n}={image}" for n, f in first.input_description.items() if isinstance(f, ImageFeature)]
    given = make_inputs(first.input_description, asked)
    differences = compare(first.trace(given), second.trace(given), first.kinds)
    out.table(
        f"{a.name} against {b.name}: {len(differences)} values, worst first",
        ["value", "op", "shape", "PSNR dB", "largest", "relative"],
        [
            [d.name, d.kind, "x".join(map(str, d.shape)), f"{d.psnr_db:.1f}", f"{d.largest:.3g}", f"{d.relative:.2g}"]
            for d in differences[:limit]
        ],
    )
    if plot is not None:
        draw(differences, plot, f"{a.name} against {b.name}")
        out.line(f"wrote {plot}")
    out.document({"a": str(a), "b": str(b), "differences": [_finite(asdict(d)) for d in differences]})


def _finite(record: dict[str, object]) -> dict[str, object]:
    """JSON has no infinities: None stands for an unlimited PSNR (equal values) or difference."""
    infinite = (float("inf"), float("-inf"))
    return {key: None if value in infinite else value for key, value in record.items()}
