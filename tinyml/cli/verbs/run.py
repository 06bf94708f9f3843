"""`tinyml run`: execute any ML Program on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from tinyml.seeds import LARGEST_SEED

from ..app import app
from ..options import InputShapes, InputValues, Json, ProgramPrecision, ProgramUnits
from ..output import Output


@app.command("run")
def run_package(
    package: Annotated[Path, typer.Argument(help="An .mlpackage.")],
    inputs: InputValues = None,
    function: Annotated[str | None, typer.Option(help="Which function to run; the model's default one.")] = None,
    shape: InputShapes = None,
    precision: ProgramPrecision = None,
    compute_units: ProgramUnits = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the arrays that come out to this .npz file.", dir_okay=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Of random inputs and random ops.", min=0, max=LARGEST_SEED)] = 0,
    json: Json = False,
) -> None:
    """Execute a Core ML package with the reference runtime: outputs, ranges, and the time of each op here."""
    from dataclasses import asdict

    from tinyml.coreml import ReferenceModel
    from tinyml.coreml.tools.inputs import make_inputs
    from tinyml.coreml.tools.outputs import save_arrays, summary
    from tinyml.coreml.tools.profile import profile
    from tinyml.coreml.trace.axes import whole_shapes
    from tinyml.store import check_output

    out = Output(json=json)
    if output is not None:
        check_output(output, ".npz")
    chosen = cast(Literal["declared", "float32"] | None, precision)  # refused where it is neither
    model = ReferenceModel(package, function, chosen, seed=seed, compute_units=compute_units)
    shapes = whole_shapes(model.input_description, shape or ())
    given = make_inputs(model.input_description, inputs or (), seed, shapes=shapes)
    results = model.predict(given, model.new_state())
    found = summary(results)
    out.table("Outputs", ["output", "type", "value"], [[item.name, item.type, item.text] for item in found])
    times = profile(model, given, model.new_state())
    total = sum(item.duration_ns for item in times) or 1
    out.table(
        "Ops",
        ["op", "kind", "shape", "min", "max", "ms", "%"],
        [
            [
                item.name,
                item.kind,
                "" if item.shape is None else "x".join(map(str, item.shape)),
                "" if item.low is None else f"{item.low:.4g}",
                "" if item.high is None else f"{item.high:.4g}",
                f"{item.duration_ns / 1e6:.3f}",
                f"{100 * item.duration_ns / total:.1f}",
            ]
            for item in times
        ],
    )
    if output is not None:
        out.line(f"wrote {save_arrays(output, results)}")
    out.document(
        {
            "package": str(package),
            "function": model.description.function,
            "outputs": [asdict(item) for item in found],
            "ops": [asdict(item) for item in times],
        }
    )
