"""`tinyml run`: execute any ML Program on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import app
from ..output import Output


@app.command("run")
def run_package(
    package: Annotated[Path, typer.Argument(help="An .mlpackage.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", help="name=FILE.npy, name=IMAGE or name=random (the default); repeatable."),
    ] = None,
    function: Annotated[str | None, typer.Option(help="Which function to run; the model's default one.")] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            "--shape", help="The shape of a flexible input: name=1,20,8, or name=WIDTHxHEIGHT for an image; repeatable."
        ),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="declared (rounds as the program says; the default) or float32.")
    ] = None,
    compute_units: Annotated[
        str | None,
        typer.Option(help="CPU_ONLY rounds nothing, as Core ML's CPU; ALL, CPU_AND_GPU and CPU_AND_NE as declared."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write the arrays that come out to this .npz file.")] = None,
    seed: Annotated[int, typer.Option(help="Of random inputs and random ops.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Execute a Core ML package with the reference runtime: outputs, ranges, and the time of each op here."""
    from dataclasses import asdict
    from typing import cast

    from tinyml.coreml import ReferenceModel
    from tinyml.coreml.plan.planner import Precision
    from tinyml.coreml.tools.inputs import make_inputs
    from tinyml.coreml.tools.outputs import save_arrays, summary
    from tinyml.coreml.tools.profile import profile
    from tinyml.coreml.trace.axes import whole_shapes

    out = Output(json=json)
    model = ReferenceModel(
        package, function, cast(Precision | None, precision), seed=seed, compute_units=compute_units
    )
    shapes = whole_shapes(model.input_description, shape or ())
    given = make_inputs(model.input_description, inputs or (), seed, shapes=shapes)
    state = model.make_state() if model.description.states else None
    results = model.predict(given, state)
    found = summary(results)
    out.table("Outputs", ["output", "type", "value"], [[item.name, item.type, item.text] for item in found])
    times = profile(model, given, model.make_state() if model.description.states else None)
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
