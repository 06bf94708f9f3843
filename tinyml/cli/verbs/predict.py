"""`tinyml predict`: the classes of image files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import EXIT_FAILED, app
from ..options import RESULTS, CheckpointDevice, Json, Results
from ..output import Output


@app.command()
def predict(
    images: Annotated[list[Path], typer.Argument(help="Image files of any size, or folders of them.")],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", help="A checkpoint, artifact folder, .mlpackage, .onnx or .aimodel; the newest checkpoint."
        ),
    ] = None,
    top_k: Annotated[int, typer.Option("--top-k", help="Classes to show, best first.", min=1)] = 5,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", help="Write the table into this file instead of showing it.", metavar="FILE", dir_okay=False
        ),
    ] = None,
    device: CheckpointDevice = "auto",
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Classify image files with a checkpoint or an exported artifact. One that cannot be read does not stop others."""
    from tinyml.evaluation.classify import as_csv, classify, find_images
    from tinyml.evaluation.opening import open_model
    from tinyml.store import check_output, write_bytes
    from tinyml.trainer.data.listing import sentence
    from tinyml.trainer.device import choose
    from tinyml.workspace import Workspace

    out = Output(json=json)
    if csv is not None:
        check_output(csv, ".csv")
    found, left_out = find_images(images)
    path = model or Workspace(results).newest_checkpoint()
    opened = open_model(path, choose(device))
    if model is None:
        out.line(f"checkpoint {path}")
    if left_out:
        out.line(sentence(left_out))
    answers = list(classify(opened.predictor, found, top_k=top_k, progress=out.progress))
    good = [answer for answer in answers if answer.problem is None]
    columns = ["image", "rank", "label", "probability"]
    rows = [
        [answer.image, str(rank), each.label, f"{each.probability:.2%}"]
        for answer in good
        for rank, each in enumerate(answer.classes, 1)
    ]
    if csv is not None:
        write_bytes(csv, as_csv(answers).encode())
        out.line(f"{len(good):,} of {len(answers):,} images classified; written to {csv}")
    elif rows:
        out.table(f"{opened.predictor.spec.architecture} ({opened.variant})", columns, rows)
    out.document(
        [
            {"image": answer.image, "model": str(path), "runtime": opened.runtime, "error": answer.problem}
            | {"classes": [each.model_dump() for each in answer.classes]}
            for answer in answers
        ]
    )
    for answer in answers:
        if answer.problem is not None:
            typer.echo(f"error: {answer.problem}", err=True)
    if len(good) < len(answers):
        raise typer.Exit(EXIT_FAILED)
