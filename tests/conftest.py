"""What several packages' tests share: a prepared `shapes`, and a results folder with every export of one model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from tinyml.export import pipeline
from tinyml.schema import TrainConfig
from tinyml.trainer import checkpoint
from tinyml.trainer.architecture import build
from tinyml.trainer.data import Dataset, open_dataset
from tinyml.workspace import Workspace

from .fitted import fitted
from .tiny import register_tiny
from .trainer.conftest import make_colors

MODEL = "resnet20"
"""The cheapest network to run."""

IMAGES = 40
"""How many test images everything here is verified on."""

VARIANTS = ("coreml-fp32", "coreml-fp16", "coreml-w8", "onnx-fp32", "onnx-w8a8")
"""What is exported of it: one of each sort; the rest of the menu is tested on a network of a few kilobytes."""


@dataclass(frozen=True, kw_only=True)
class TrainedResults:
    """A results folder as `tinyml train` and `tinyml export` leave it."""

    workspace: Workspace
    checkpoint: Path
    """The manifest."""
    artifacts: dict[str, Path]
    """The manifests, by variant."""
    cache: Path
    """What TINYML_CACHE must name: the prepared `shapes` lies there."""
    images: int = IMAGES
    model: str = MODEL


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cache of data sets for the whole session; TINYML_CACHE names it."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("TINYML_CACHE")
    os.environ["TINYML_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["TINYML_CACHE"]
    else:
        os.environ["TINYML_CACHE"] = before


@pytest.fixture(scope="session")
def shapes(cache: Path) -> Dataset:
    """The data set `shapes`."""
    return open_dataset("shapes")


@pytest.fixture(scope="session")
def trained_checkpoint(shapes: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of `best.json` of a network with wide margins, in a results folder of its own."""
    workspace = Workspace(tmp_path_factory.mktemp("trained") / "results")
    torch.manual_seed(0)
    network = fitted(build(MODEL, len(shapes.index.labels)), shapes, IMAGES)
    return checkpoint.save(
        workspace.run(MODEL, "best-1").checkpoints,
        "best",
        network,
        spec=checkpoint.spec_of(MODEL, network, shapes.index.labels, shapes.index.preprocess),
        config=TrainConfig(model=MODEL, recipe="baseline", data="shapes"),
        dataset_sha256=shapes.sha256,
        epoch=1,
    )


@pytest.fixture(scope="session")
def trained_results(trained_checkpoint: Path, cache: Path) -> TrainedResults:
    """One model on `shapes` with its exports, verified; read it, never write to it (copy it first)."""
    workspace = Workspace(trained_checkpoint.parents[4])
    # The ranges matter less here than the time that calibration takes.
    exported = pipeline.export(trained_checkpoint, VARIANTS, workspace, images=IMAGES, calibration_images=32)
    exported.check()
    return TrainedResults(
        workspace=workspace,
        checkpoint=trained_checkpoint,
        artifacts=dict(zip(VARIANTS, exported.manifests, strict=True)),
        cache=cache,
    )


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a tiny architecture, registered for one test."""
    return register_tiny(monkeypatch)


@pytest.fixture
def colors(tmp_path: Path) -> Dataset:
    """Noisy images of three colors: [48 + 12 + 12, 64, 64, 3]."""
    return make_colors(tmp_path / "colors")
