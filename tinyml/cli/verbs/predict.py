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
    import numpy as np

    from tinyml.evaluation.opening import open_model
    from tinyml.numerics import best_classes
    from tinyml.trainer.data import load_image
    from tinyml.trainer.device import choose
    from tinyml.workspace import Workspace

    out = Output(json=json)
    path = model or Workspace(results).newest_checkpoint()
    opened = open_model(path, choose(device))
    spec = opened.predictor.spec
    pixels = np.stack([load_image(image, spec.preprocess) for image in images])
    if model is None:
        out.line(f"checkpoint {path}")
    scores = opened.predictor.probabilities(pixels)
    best = best_classes(scores, top_k)
    answers = [
        [(spec.labels[i], min(1.0, float(row[i]))) for i in order] for row, order in zip(scores, best, strict=True)
    ]
    out.table(
        f"{spec.architecture} ({opened.variant})",
        ["image", "rank", "label", "probability"],
        [
            [str(image), str(rank), label, f"{probability:.2%}"]
            for image, answer in zip(images, answers, strict=True)
            for rank, (label, probability) in enumerate(answer, 1)
        ],
    )
    out.document(
        [
            {
                "image": str(image),
                "model": str(path),
                "runtime": opened.runtime,
                "classes": [{"label": label, "probability": probability} for label, probability in answer],
            }
            for image, answer in zip(images, answers, strict=True)
        ]
    )
