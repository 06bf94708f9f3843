"""`tinyml predict`: the classes of image files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import app
from ..output import Output


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files of any size.")],
    model: Annotated[
        Path | None,
        typer.Option("--model", help="A checkpoint, artifact folder, .mlpackage or .onnx; the newest checkpoint."),
    ] = None,
    top_k: Annotated[int, typer.Option("--top-k", help="Classes to show, best first.", min=1)] = 5,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps; for checkpoints.")] = "auto",
    results: Annotated[Path, typer.Option("--results", help="Folder of results.")] = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Classify image files with a checkpoint or an exported artifact."""
    from dataclasses import asdict

    from tinyml.evaluation.classify import classify
    from tinyml.evaluation.opening import open_model
    from tinyml.trainer.device import choose
    from tinyml.workspace import Workspace

    out = Output(json=json)
    path = model or Workspace(results).newest_checkpoint()
    opened = open_model(path, choose(device))
    spec = opened.predictor.spec
    answers = classify(opened.predictor, images, top_k)
    if model is None:
        out.line(f"checkpoint {path}")
    out.table(
        f"{spec.architecture} ({opened.variant})",
        ["image", "rank", "label", "probability"],
        [
            [str(image), str(rank), scored.label, f"{scored.probability:.2%}"]
            for image, answer in zip(images, answers, strict=True)
            for rank, scored in enumerate(answer, 1)
        ],
    )
    out.document(
        [
            {
                "image": str(image),
                "model": str(path),
                "runtime": opened.runtime,
                "classes": [asdict(scored) for scored in answer],
            }
            for image, answer in zip(images, answers, strict=True)
        ]
    )
