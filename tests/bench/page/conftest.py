"""A results folder with something of each kind: runs of two machines, artifacts with golden images, a history."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.schema import (
    Artifact,
    BenchRun,
    EpochRecord,
    Evaluations,
    Golden,
    History,
    Provenance,
    TrainConfig,
)
from tinyml.schema import EvaluatedModel as Evaluated
from tinyml.store import file_sha256, read_json, write_json

FIXTURES = Path(__file__).parents[2] / "fixtures"
MADE = Provenance(created_at="2026-01-02T03:04:05Z", command="tinyml test", tool_version="0")


@pytest.fixture
def results(tmp_path: Path, linux_run: BenchRun, macos_run: BenchRun) -> Path:
    root = tmp_path / "project" / "results"
    for run in (linux_run, macos_run):
        write_json(root / "bench" / run.id / "run.json", run)
    for name in ("coreml-fp16", "coreml-w8", "onnx-w8a8"):
        artifact = read_json(FIXTURES / "artifacts" / "v2" / f"{name}.json", Artifact)
        folder = root / artifact.spec.architecture / "exports" / name
        write_json(folder / "manifest.json", artifact)
        Image.fromarray(np.full((8, 8, 3), 99, np.uint8)).save(folder / "golden.png")
        golden = Golden(
            artifact_sha256=artifact.sha256,
            image="golden.png",
            image_sha256=file_sha256(folder / "golden.png"),
            width=8,
            height=8,
            labels=("a tabby", "a teapot"),
            probabilities=(0.75, 0.125),
            tolerance=0.02,
            runtime="reference",
            provenance=MADE,
        )
        write_json(folder / "golden.json", golden)
    epochs = tuple(
        EpochRecord(
            epoch=n,
            lr=0.1 / n,
            train_loss=2.0 / n,
            train_accuracy=None,
            val_loss=2.5 / n,
            val_accuracy=0.1 * n,
            seconds=60,
            images_per_second=100,
        )
        for n in range(1, 6)
    )
    config = TrainConfig(model="densenet", recipe="best", data="shapes", epochs=5)
    history = History(config=config, device="cpu", epochs=epochs, memory=None, provenance=MADE)
    write_json(root / "densenet" / "history.json", history)
    return root


def evaluations(run: BenchRun, **top1: float) -> Evaluations:
    """Test results of the files of `run` by variant ("coreml_w8"), on 10,000 images."""
    rows = []
    for variant, value in top1.items():
        result = next(r for r in run.results if r.case.variant == variant.replace("_", "-"))
        assert result.accuracy is not None
        rows.append(
            Evaluated(
                variant=result.case.variant,
                path="x",
                sha256=result.case.artifact_sha256,
                bytes=result.case.artifact_bytes,
                runtime="reference",
                metrics=result.accuracy.model_copy(update={"top1": value, "top5": 0.99}),
                provenance=MADE,
            )
        )
    return Evaluations(model="densenet", data="shapes", results=tuple(rows))
