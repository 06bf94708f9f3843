"""`tinyml eval`: the accuracy of checkpoints and artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..app import app
from ..given import given_or_newest
from ..options import RESULTS, CheckpointDevice, Json, Models, Results, Split
from ..output import Output

if TYPE_CHECKING:
    from tinyml.schema import EvaluatedModel


@app.command("eval")
def evaluate(
    paths: Models = None,
    split: Split = "test",
    limit: Annotated[int | None, typer.Option("--limit", help="Images; all if left out.", min=1)] = None,
    flip: Annotated[
        bool, typer.Option("--flip", help="Also the mean with each image mirrored: a row of its own, twice the work.")
    ] = False,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Also the mean of all these models: a row of its own.")
    ] = False,
    device: CheckpointDevice = "auto",
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            help="Another data set of the same classes, or where that of the training lies by now.",
            metavar="NAME_OR_PATH",
        ),
    ] = None,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Measure top-1 and top-5 accuracy; kept in RESULTS/MODEL/test_results.json and RESULTS/model_comparison.csv."""
    from tinyml.accuracy import split_named
    from tinyml.evaluation.apart import evaluate_all
    from tinyml.evaluation.evaluate import record
    from tinyml.evaluation.opening import open_model
    from tinyml.trainer.device import choose
    from tinyml.workspace import MODEL_COMPARISON, Workspace

    chosen_split = split_named(split)
    out = Output(json=json)
    workspace = Workspace(results)
    chosen = choose(device)
    paths = given_or_newest(paths, workspace, out)
    rows: list[EvaluatedModel] = []
    models = [open_model(path, chosen) for path in paths]
    try:
        for folder, result in evaluate_all(
            models, flip=flip, ensemble=ensemble, split=chosen_split, limit=limit, data=data, progress=out.progress
        ):
            rows.append(result)
            record(folder, result, workspace)
    finally:  # what was measured is shown even where it cannot be kept, or a later model fails
        if rows:
            out.table(f"Accuracy on the {split} split", _COLUMNS, [_row(result) for result in rows])
            out.document(rows)
    out.line(f"kept in {workspace.root / MODEL_COMPARISON}")


_COLUMNS = ("variant", "top-1 (95% interval)", "top-5", "images", "size", "runtime", "path")


def _row(result: EvaluatedModel) -> list[str]:
    from tinyml.confidence import share_told, top1_told

    metrics = result.metrics
    return [
        result.variant,
        top1_told(metrics),
        share_told(metrics.top5),
        f"{metrics.images} of {metrics.total}",
        f"{result.bytes / 1e6:.1f} MB",
        result.runtime,
        result.path,
    ]
