"""A results folder with something of each kind: runs of two machines, artifacts with golden images, a history."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tinyml.evaluation.calibration import calibration
from tinyml.schema import (
    Artifact,
    AttackedAccuracy,
    BenchRun,
    ClassAccuracy,
    ConfusedPair,
    CorruptedAccuracy,
    EpochRecord,
    Explanation,
    Golden,
    History,
    Metrics,
    Provenance,
    Robustness,
    TrainConfig,
)
from tinyml.store import file_sha256, read_json, write_json

FIXTURES = Path(__file__).parents[2] / "fixtures"
MADE = Provenance(created_at="2026-01-02T03:04:05Z", command="tinyml test", tool_version="0")


CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="not run: playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("not run: no chromium")
    with playwright.sync_playwright() as p:
        started = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


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
    write_json(root / "densenet" / "explained" / "coreml-w8.json", explanation())
    return root


def explanation() -> Explanation:
    logits = np.random.default_rng(0).normal(size=(60, 2))
    return Explanation(
        model="densenet",
        variant="coreml-w8",
        path="x",
        sha256="ab" * 32,
        runtime="reference",
        data="shapes",
        labels=("a tabby", "a teapot"),
        metrics=Metrics(split="test", top1=0.5, top5=1, images=60, total=60),
        classes=(
            ClassAccuracy(label="a tabby", images=30, right=10),
            ClassAccuracy(label="a teapot", images=30, right=20),
        ),
        confused=(ConfusedPair(truth=0, answer=1, images=20), ConfusedPair(truth=1, answer=0, images=10)),
        calibration=calibration(logits, np.arange(60) % 2),
        robustness=Robustness(
            images=20,
            clean=0.5,
            corrupted=tuple(CorruptedAccuracy(corruption="fog", severity=n, top1=0.5 - 0.05 * n) for n in range(1, 6)),
            attacked=(AttackedAccuracy(attack="fgsm", epsilon=1, steps=1, network_sha256="ab" * 32, top1=0.125),),
        ),
        provenance=MADE,
    )
