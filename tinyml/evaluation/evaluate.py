"""Accuracy of checkpoints and artifacts on a split, kept in `test_results.json` and compared in one CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from tinyml.accuracy import Predictor, accuracy_on
from tinyml.confidence import top1_interval
from tinyml.errors import DataError
from tinyml.machine import keep_freed_memory
from tinyml.progress import Progress, Silent
from tinyml.schema import EvaluatedModel, Evaluations, Metrics, SplitName
from tinyml.store import read_json, write_bytes, write_json
from tinyml.trainer.data import Dataset, check_classes, reopen
from tinyml.trainer.data.reopening import differences
from tinyml.workspace import MODEL_COMPARISON, TEST_RESULTS, Workspace

from .opening import OpenedModel

COLUMNS = (
    "model", "variant", "data", "split", "images", "total", "top1", "top1_low", "top1_high", "top5", "bytes", "runtime",
    "path",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Measured:
    """An accuracy, and on which images it was measured."""

    metrics: Metrics
    dataset: Dataset
    data: str
    """What the data set is called: as the model calls it, where it is the model's own."""
    limit: int | None

    def again(self, predictor: Predictor, progress: Progress | None = None) -> Measured:
        """That of another predictor on the same images in the same order."""
        split = self.metrics.split
        metrics = accuracy_on(predictor, self.dataset.split(split), split, limit=self.limit, progress=progress)
        return Measured(metrics=metrics, dataset=self.dataset, data=self.data, limit=self.limit)


def measure(
    model: OpenedModel,
    predictor: Predictor,
    *,
    split: SplitName,
    limit: int | None,
    data: str | None,
    progress: Progress | None,
) -> Measured:
    """Top-1 and top-5 on a split of the data set that `model` was trained on.

    Args:
        model: What is measured.
        predictor: What stands for it.
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
    keep_freed_memory()
    progress = progress or Silent()
    dataset = reopen(model.data or "", model.dataset, data, progress=progress)
    check_classes(dataset, model.predictor.spec.labels)
    metrics = accuracy_on(predictor, dataset.split(split), split, limit=limit, progress=progress)
    return Measured(metrics=metrics, dataset=dataset, data=_name(model, dataset, data), limit=limit)


def _name(model: OpenedModel, dataset: Dataset, given: str | None) -> str:
    """As the model calls it, where it is the model's own, wherever it lies by now."""
    own = given is None or (model.dataset is not None and not differences(model.dataset, dataset))
    return model.data if own and model.data is not None else str(given)


def record(architecture: str, result: EvaluatedModel, workspace: Workspace) -> None:
    """Adds `result` to its model's `test_results.json` and renews the CSV.

    It takes the place of an older one of that file on the same split of the same data set.
    """
    path = workspace.model(architecture) / TEST_RESULTS
    earlier = read_json(path, Evaluations) if path.exists() else None
    data = earlier.data if earlier is not None else str(result.data)
    result = result.model_copy(update={"data": None if result.data == data else result.data})

    def known(row: EvaluatedModel) -> tuple[str | None, ...]:
        return row.path, row.variant, row.metrics.split, row.data

    others = [row for row in (earlier.results if earlier is not None else ()) if known(row) != known(result)]
    rows = sorted([*others, result], key=lambda row: (row.variant != "checkpoint", row.variant, row.path))
    write_json(path, Evaluations(model=architecture, data=data, results=tuple(rows)))
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
            where = (evaluations.model, row.variant, row.data or evaluations.data, m.split, m.images, m.total)
            writer.writerow((*where, *shares, row.bytes, row.runtime, row.path))
    return text.getvalue()
