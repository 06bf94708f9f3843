"""Accuracy of checkpoints and artifacts on a split, kept in `test_results.json` and compared in one CSV."""

from __future__ import annotations

import csv
import io

from tinyml.accuracy import accuracy_on
from tinyml.confidence import top1_interval
from tinyml.errors import DataError
from tinyml.progress import Progress, Silent
from tinyml.schema import EvaluatedModel, Evaluations, ModelSpec, SplitName
from tinyml.store import provenance, read_json, write_bytes, write_json
from tinyml.trainer.data import Dataset, reopen
from tinyml.workspace import MODEL_COMPARISON, TEST_RESULTS, Workspace

from .opening import OpenedModel

COLUMNS = (
    "model", "variant", "data", "split", "images", "total", "top1", "top1_low", "top1_high", "top5", "bytes", "runtime",
    "path",
)  # fmt: skip


def evaluate(
    model: OpenedModel,
    *,
    split: SplitName = "test",
    limit: int | None = None,
    data: str | None = None,
    progress: Progress | None = None,
) -> EvaluatedModel:
    """Top-1 and top-5 of `model` on a split of the data set it was trained on.

    Args:
        model: What to measure.
        split: On which split.
        limit: How many images, dealt evenly over the classes; None: all.
        data: Another data set, or where that one lies by now; None: the one it remembers.
        progress: Told of the images.

    Raises:
        DataError: The data set is unknown, missing, has changed, or has other classes than the model.
    """
    if model.data is None and data is None:
        raise DataError(
            "the model does not say which data set it was trained on",
            value=model.path,
            hint="give it with --data FOLDER",
        )
    progress = progress or Silent()
    dataset = reopen(model.data or "", model.dataset, data, progress=progress)
    check_classes(dataset, model.predictor.spec)
    return EvaluatedModel(
        variant=model.variant,
        path=str(model.path),
        sha256=model.sha256,
        bytes=model.bytes,
        runtime=model.runtime,
        metrics=accuracy_on(model.predictor, dataset.split(split), split, limit=limit, progress=progress),
        provenance=provenance(limit=limit),
    )


def check_classes(dataset: Dataset, spec: ModelSpec) -> None:
    """Raises DataError if the data set's classes are not those of the model."""
    if dataset.index.labels != spec.labels:
        raise DataError(
            f"the data set at {dataset.path} has other classes than the model was trained on",
            value=f"{len(dataset.index.labels)} classes, first {dataset.index.labels[:1]}",
            allowed=f"{spec.classes} classes, first {spec.labels[:1]}",
        )


def record(model: OpenedModel, result: EvaluatedModel, workspace: Workspace) -> None:
    """Adds `result` to its model's `test_results.json`, in place of an older one of that file, and renews the CSV."""
    architecture = model.predictor.spec.architecture
    path = workspace.model(architecture) / TEST_RESULTS
    earlier = read_json(path, Evaluations).results if path.exists() else ()
    others = [row for row in earlier if (row.path, row.metrics.split) != (result.path, result.metrics.split)]
    rows = sorted([*others, result], key=lambda row: (row.variant != "checkpoint", row.variant, row.path))
    write_json(path, Evaluations(model=architecture, data=str(model.data), results=tuple(rows)))
    write_bytes(workspace.root / MODEL_COMPARISON, comparison(workspace).encode())


def comparison(workspace: Workspace) -> str:
    """Every model's test results as one CSV, sorted by model, checkpoints before artifacts.

    `top1_low` to `top1_high` is the 95% interval of the accuracy; an empty cell says nothing, as top-5 of five classes.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for path in sorted(workspace.root.glob(f"*/{TEST_RESULTS}")):
        evaluations = read_json(path, Evaluations)
        for row in evaluations.results:
            m, sure = row.metrics, top1_interval(row.metrics)
            shares = (f"{share:.4f}" if share is not None else "" for share in (m.top1, sure.low, sure.high, m.top5))
            where = (evaluations.model, row.variant, evaluations.data, m.split, m.images, m.total)
            writer.writerow((*where, *shares, row.bytes, row.runtime, row.path))
    return text.getvalue()
