"""`tinyml export`: a checkpoint to verified Core ML and ONNX artifacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import app
from ..options import RESULTS, Json, MaxDrop, MaxSize, Planned, Results, TrainedOn
from ..output import Output

if TYPE_CHECKING:
    from tinyml.export.verify import CheckpointAnswers
    from tinyml.schema import Artifact, Plan


@app.command()
def export(
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="A checkpoint's .json or .safetensors; the newest if left out.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="coreml, onnx, coreai, or all: the first two.")] = "all",
    quantize: Annotated[
        str,
        typer.Option("--quantize", help="none (fp16, ONNX fp32), int8, int4, int2, a variant's ending, auto, or all."),
    ] = "none",
    max_drop: MaxDrop = None,
    max_size: MaxSize = None,
    plan: Planned = None,
    finetune: Annotated[
        str | None,
        typer.Option(
            "--finetune",
            help="Train for the rounding as well, so many epochs (3) or minutes (10m); beside the plain one.",
            metavar="EPOCHS|MINUTES",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="The oldest system to run on: iOS15 to iOS18; else the oldest that each can."),
    ] = None,
    rounding: Annotated[
        str | None, typer.Option("--rounding", help="nearest or compensated; if left out, nearest at 8 bits a scale.")
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
    """Export a checkpoint to Core ML and ONNX, each verified against it before it is kept.

    --quantize auto searches for what each layer shall become to lose at most --max-drop POINTS, or to take at most
    --max-size BYTES; the plan is kept beside the package, and --plan makes it again.
    """
    from tinyml.commands import command
    from tinyml.counting import counted
    from tinyml.export.choice import check_one_way, chosen, with_rounding
    from tinyml.export.finetune.finetune import length_of, nearest_of
    from tinyml.export.original import Original
    from tinyml.export.pipeline import Exporter
    from tinyml.export.search.planning import asked
    from tinyml.export.verify import VERIFY_IMAGES
    from tinyml.workspace import Workspace

    check_one_way(format_, quantize, variant or [], everything=all_, plan=plan)
    planned = asked(quantize, format_, max_drop, max_size, plan, target=target, rounding=rounding)
    choice = chosen(format_, "none" if planned else quantize, variant or [], everything=all_, target=target)
    rows = [with_rounding(row, rounding) for row in choice.rows]
    length = None if finetune is None else length_of(finetune)
    if length is not None:
        made_already = [] if planned is None or planned.of_file is None else [planned.of_file.variant]
        for row in rows if planned is None else made_already:
            nearest_of(row)
    out = Output(json=json)
    for name, reason in choice.left_out.items():
        out.line(f"{name} is left out for {target}: {reason}")
    workspace = Workspace(results)
    manifest = checkpoint or workspace.newest_checkpoint()
    original = Original(
        manifest,
        images=images or VERIFY_IMAGES,
        data=data,
        calibration_images=calibration_images,
        progress=out.progress,
    )
    exporter = Exporter(original, workspace, keep_failed=keep_failed)
    made, spec = original.checkpoint, original.spec
    out.line(
        f"checkpoint {original.manifest}: {spec.architecture} after "
        f"{counted(made.epoch, 'epoch')} on {made.config.data}, {counted(spec.classes, 'class', 'classes')}"
    )
    if planned is not None:
        found = planned.of_file or exporter.plan(
            planned.goal, target=target, rounding=planned.rounding, tuned=length is not None
        )
        exported = exporter.export([found.variant], plan=found)
        if exported.manifests:
            show_plan(out, found, exported.manifests[0].parent)
        rows = [found.variant]
    else:
        exported = exporter.export(rows, resume=all_ or quantize == "all")
    if length is not None:
        exported = exported.beside(exporter.export(rows, length=length))
    written = show_exported(out, exported.manifests, exported.seconds)
    out.document(written)
    if length is not None:
        show_tuned(out, original.answers, written)
    if exported.failures:
        passed = ", ".join(artifact.variant.name for artifact in written) or "none"
        of = len(written) + len(exported.failures)
        out.line(f"{len(written)} of {counted(of, 'variant')} passed and are written: {passed}")
        out.line(f"not written: {', '.join(exported.failures)}")
    exported.check()
    out.line(f"accuracy against size: {workspace.exports_picture(spec.architecture)}")
    out.line(f"next: {command('bench', results=results)}")


def show_tuned(out: Output, answers: CheckpointAnswers, written: Sequence[Artifact]) -> None:
    """Prints what fine-tuning gained: the accuracy of each tuned artifact, of the plain one, and of the checkpoint."""
    from tinyml.confidence import accuracy_told

    count = len(answers.labels)
    tops = {a.variant.name: a.verification.artifact.top1 for a in written if a.verification is not None}
    whole = float((answers.logits.argmax(1) == answers.labels).mean())
    for name, top1 in tops.items():
        if name.endswith("-tuned") and (plain := tops.get(name.removesuffix("-tuned"))) is not None:
            out.line(
                f"{name}: {accuracy_told(plain, count)} as it was rounded, {accuracy_told(top1, count)} fine-tuned, "
                f"{accuracy_told(whole, count)} in full precision, on {count} {answers.split} images"
            )


def show_exported(
    out: Output, manifests: Sequence[Path], seconds: Mapping[Path, float] | None = None
) -> list[Artifact]:
    """Prints the verified table of artifacts, by their manifests, and returns these; `seconds` that each took."""
    from tinyml.workspace import read_artifact

    written = [read_artifact(path) for path in manifests]
    took = [f"{(seconds or {})[m]:.1f} s" if m in (seconds or {}) else "-" for m in manifests]
    rows = [[*_row(artifact), each, str(path)] for (artifact, path), each in zip(written, took, strict=True)]
    models = ", ".join(sorted({artifact.spec.architecture for artifact, _ in written})) or "nothing"
    out.table(f"{models}, exported", _COLUMNS, rows)
    return [artifact for artifact, _ in written]


def show_plan(out: Output, plan: Plan, where: Path) -> None:
    """Prints what each layer becomes, and the front of the plans that were tried; `where` the plan lies."""
    from tinyml.export.search.picture import bits_of

    title = f"{plan.variant.name}: what each layer becomes"
    rows = [
        [layer.layer, f"{layer.weights}", layer.option, f"{bits:.2f}"]
        for layer, bits in zip(plan.layers, bits_of(plan), strict=True)
    ]
    out.table(title, ("layer", "weights", "becomes", "bits a weight"), rows)
    lost = "points lost" if plan.labeled else "points of agreement lost"
    front = sorted((trial for trial in plan.trials if trial.front or trial.chosen), key=lambda trial: trial.bytes)
    out.table(
        f"Of {len(plan.trials)} plans tried on {plan.judging_images} inputs ({plan.judged_on}), those that no "
        "smaller one beats",
        ("plan", "size", "bits a weight", "loss", lost, "chosen"),
        [
            [
                trial.name,
                f"{trial.bytes / 1000:.1f} kB",
                f"{trial.bits:.2f}",
                f"{trial.loss:.3g}",
                "-" if trial.points_lost is None else f"{trial.points_lost:+.2f}",
                "chosen" if trial.chosen else "",
            ]
            for trial in front
        ],
    )
    for layer, reason in plan.left.items():
        out.line(f"left as it was: {layer}: {reason}")
    out.line(f"searched for {plan.seconds} s; the plan and its picture: {where}")


_COLUMNS = (
    "variant",
    "size",
    "top-1 checkpoint (95% interval)",
    "top-1 artifact",
    "agreement",
    "PSNR",
    "verified by",
    "made in",
    "path",
)


def _row(artifact: Artifact) -> list[str]:
    from tinyml.confidence import top1_told
    from tinyml.counting import counted

    figures = artifact.verification
    assert figures is not None  # noqa: S101
    return [
        artifact.variant.name,
        f"{artifact.bytes / 1e6:.2f} MB",
        top1_told(figures.reference),
        top1_told(figures.artifact),
        f"{figures.top1_agreement:.2%}",
        "identical" if figures.psnr_db is None else f"{figures.psnr_db:.1f} dB",
        f"{figures.runtime}, {counted(figures.images, 'image')}",
    ]
