"""`tinyml compress`: any ML Program, made smaller and proven, without the network that it came from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import app
from ..options import MaxDrop, MaxSize, Planned
from ..output import Output
from .export import show_plan

if TYPE_CHECKING:
    from tinyml.export.foreign import Likeness


@app.command()
def compress(
    package: Annotated[Path, typer.Argument(help="An .mlpackage with an ML Program, whoever made it.")],
    quantize: Annotated[
        str, typer.Option("--quantize", help="As of tinyml export: int8, palette4, w8a8, prune75, auto, …")
    ] = "int8",
    max_drop: MaxDrop = None,
    max_size: MaxSize = None,
    plan: Planned = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            "--calibrate",
            help="A folder of images, or an .npz of arrays by the inputs' names.",
            metavar="FOLDER_OR_NPZ",
        ),
    ] = None,
    evaluate: Annotated[
        Path | None,
        typer.Option(
            "--evaluate", help="The same, to compare both packages on; folders named like classes count as labels."
        ),
    ] = None,
    rounding: Annotated[
        str | None, typer.Option("--rounding", help="nearest or compensated; if left out, nearest at 8 bits a scale.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="The package to write; beside the first one otherwise.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Compress a Core ML package, every weight held to its source.

    Weights of 8 bits and --rounding nearest need no inputs. Activations (w8a8), and weights that make up for each
    other's errors, are calibrated on those of --calibrate: some hundred that look like what the model will see.
    """
    from tinyml.errors import UsageError
    from tinyml.export.choice import chosen, with_rounding
    from tinyml.export.foreign import (
        check_new,
        compress_package,
        compress_planned,
        likeness,
        plan_beside,
        plan_package,
        samples_of,
    )
    from tinyml.export.search.planning import asked, name_for
    from tinyml.heartbeat import beating

    out = Output(json=json)
    planned = asked(quantize, "coreml", max_drop, max_size, plan, rounding=rounding)
    samples = None if calibrate is None else samples_of(package, calibrate)[0]
    if planned is None:
        (variant, *others) = chosen("coreml", quantize).rows
        if others or not variant.compression:
            raise UsageError("a package is compressed in one way", value=quantize, allowed="one kind, such as int8")
        variant = with_rounding(variant, rounding)
        target = output or package.with_name(f"{package.stem}-{variant.name.removeprefix('coreml-')}.mlpackage")
        with beating(out.progress, f"compressing {package.name}"):
            made = compress_package(package, variant, target, samples)
    else:
        if samples is None:
            raise UsageError("a plan needs inputs to execute on", value="none", allowed="--calibrate FOLDER_OR_NPZ")
        name = name_for(planned.goal) if planned.of_file is None else planned.of_file.variant.name
        target = output or package.with_name(f"{package.stem}-{name.removeprefix('coreml-')}.mlpackage")
        check_new(target)
        judging = None if evaluate is None else samples_of(package, evaluate)
        found_plan = planned.of_file or plan_package(
            package, planned.goal, samples, judging, rounding=planned.rounding, progress=out.progress
        )
        made = compress_planned(package, found_plan, target, samples)
        show_plan(out, found_plan, plan_beside(target)[0])
    sizes = f"{made.bytes_before / 1e6:.2f} MB -> {made.bytes_after / 1e6:.2f} MB"
    out.line(f"wrote {made.path}: {sizes}; {made.proof.sentence()}")
    for layer, reason in made.left.items():
        out.line(f"left as it was: {layer}: {reason}")
    found = None
    if evaluate is not None:
        found = likeness(package, target, *samples_of(package, evaluate))
        out.line(_sentence(found))
    out.document(
        {
            "path": str(made.path),
            "variant": made.variant,
            "bytes_before": made.bytes_before,
            "bytes_after": made.bytes_after,
            "proof": asdict(made.proof),
            "left": made.left,
            "evaluation": None if found is None else asdict(found),
        }
    )


def _sentence(found: Likeness) -> str:
    from tinyml.confidence import accuracy_told

    parts = [
        f"{name} {'identical' if value == float('inf') else f'{value:.1f} dB'}" for name, value in found.psnr_db.items()
    ]
    if found.agreement is not None:
        parts.append(f"first classes agree on {found.agreement:.2%}")
    if found.top1 is not None:
        before, after = (accuracy_told(share, found.samples) for share in found.top1)
        parts.append(f"top-1 {before} -> {after}")
    return f"on {found.samples} inputs: {'; '.join(parts)}"
