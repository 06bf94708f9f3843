"""`tinyml export`: a checkpoint to verified Core ML and ONNX artifacts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import app
from ..options import RESULTS, Json, Results, TrainedOn
from ..output import Output

if TYPE_CHECKING:
    from tinyml.schema import Artifact


@app.command()
def export(
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="A checkpoint's .json or .safetensors; the newest if left out.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="coreml, onnx or all.")] = "all",
    quantize: Annotated[
        str, typer.Option("--quantize", help="none (fp16, ONNX fp32), int8, int4, int2, a variant's ending, or all.")
    ] = "none",
    target: Annotated[
        str | None,
        typer.Option("--target", help="The oldest system to run on: iOS15 to iOS18; else the oldest that each can."),
    ] = None,
    rounding: Annotated[
        str | None, typer.Option("--rounding", help="nearest or compensated; compensated below 8 bits if left out.")
    ] = None,
    variant: Annotated[
        list[str] | None, typer.Option("--variant", help="A variant by its name; may be repeated.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every variant; those that are there already are kept.")] = False,
    images: Annotated[
        int | None, typer.Option("--images", help="Test images to verify on, at most as many as there are.", min=1)
    ] = None,
    data: TrainedOn = None,
    calibration_images: Annotated[
        int | None,
        typer.Option("--calibration-images", help="Training images to calibrate activations on; else 256.", min=1),
    ] = None,
    keep_failed: Annotated[
        bool, typer.Option("--keep-failed", help="Keep what misses its floor in RESULTS/MODEL/failed, marked so.")
    ] = False,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Export a checkpoint to Core ML and ONNX, each verified against it before it is kept."""
    from tinyml.commands import command
    from tinyml.export.pipeline import Exporter
    from tinyml.export.variants import chosen, with_rounding
    from tinyml.export.verify import VERIFY_IMAGES
    from tinyml.workspace import Workspace

    choice = chosen(format_, quantize, variant or [], everything=all_, target=target)
    out = Output(json=json)
    for name, reason in choice.left_out.items():
        out.line(f"{name} is left out for {target}: {reason}")
    workspace = Workspace(results)
    manifest = checkpoint or workspace.newest_checkpoint()
    exporter = Exporter(
        manifest,
        workspace,
        images=images or VERIFY_IMAGES,
        data=data,
        calibration_images=calibration_images,
        keep_failed=keep_failed,
        progress=out.progress,
    )
    made, spec = exporter.checkpoint, exporter.checkpoint.spec
    out.line(
        f"checkpoint {exporter.manifest}: {spec.architecture} after {made.epoch} epochs on {made.config.data}, "
        f"{spec.classes} classes"
    )
    exported = exporter.export([with_rounding(row, rounding) for row in choice.rows], resume=all_ or quantize == "all")
    written = show_exported(out, exported.manifests)
    out.document(written)
    if exported.failures:
        passed = ", ".join(artifact.variant.name for artifact in written) or "none"
        out.line(f"{len(written)} of {len(written) + len(exported.failures)} variants passed and are written: {passed}")
    exported.check()
    out.line(f"next: {command('bench', results=results)}")


def show_exported(out: Output, manifests: Sequence[Path]) -> list[Artifact]:
    """Prints the verified table of artifacts, by their manifests, and returns these."""
    from tinyml.workspace import read_artifact

    written = [read_artifact(path) for path in manifests]
    models = ", ".join(sorted({artifact.spec.architecture for artifact, _ in written})) or "nothing"
    out.table(f"{models}, exported", _COLUMNS, [_row(artifact, path) for artifact, path in written])
    return [artifact for artifact, _ in written]


_COLUMNS = (
    "variant",
    "size",
    "top-1 checkpoint (95% interval)",
    "top-1 artifact",
    "agreement",
    "PSNR",
    "verified by",
    "path",
)


def _row(artifact: Artifact, path: Path) -> list[str]:
    from tinyml.confidence import top1_told

    figures = artifact.verification
    assert figures is not None  # noqa: S101
    return [
        artifact.variant.name,
        f"{artifact.bytes / 1e6:.1f} MB",
        top1_told(figures.reference),
        top1_told(figures.artifact),
        f"{figures.top1_agreement:.2%}",
        "identical" if figures.psnr_db is None else f"{figures.psnr_db:.1f} dB",
        f"{figures.runtime}, {figures.images} images",
        str(path),
    ]
