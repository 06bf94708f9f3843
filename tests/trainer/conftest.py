"""A data set and a network that are small enough to train in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from torch import Tensor, nn

from tinyml.schema import DatasetIndex, Preprocess, Provenance, SplitInfo, TrainConfig
from tinyml.store import file_sha256, write_json
from tinyml.trainer import loop
from tinyml.trainer.data import Dataset

LABELS = ("red", "green", "blue")
COUNTS: dict[Literal["train", "val", "test"], int] = {"train": 48, "val": 12, "test": 12}


class TinyNet(nn.Module):
    """Every kind of state that a training has: weights, running statistics, and random numbers from dropout."""

    def __init__(self, classes: int, dropout: float) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, stride=8, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(8, classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.dropout(self.features(images).mean((2, 3))))
        return logits


def make_colors(folder: Path, labels: tuple[str, ...] = LABELS) -> Dataset:
    random = np.random.default_rng(0)
    folder.mkdir()
    splits = {}
    for name, count in COUNTS.items():
        classes = np.arange(count) % len(labels)
        images = random.integers(0, 120, (count, 64, 64, 3), dtype=np.uint8)
        images[np.arange(count), :, :, classes] += 100
        np.save(folder / f"{name}.npy", images)
        splits[name] = SplitInfo(
            images=count, sha256=file_sha256(folder / f"{name}.npy"), labels=tuple(int(label) for label in classes)
        )
    index = DatasetIndex(
        name="colors",
        source="noise",
        class_ids=labels,
        labels=labels,
        preprocess=Preprocess(),
        split_rule="in turn",
        seed=0,
        splits=splits,
        provenance=Provenance(created_at="2026-01-01T00:00:00Z", command="pytest", tool_version="0"),
    )
    write_json(folder / "index.json", index)
    return Dataset(index=index, path=folder, sha256=file_sha256(folder / "index.json"))


@pytest.fixture
def _no_plot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings draw no picture, which takes longer than they do."""
    monkeypatch.setattr(loop, "plot_history", lambda *_: None)


def config(**changes: object) -> TrainConfig:
    """A training that takes a second; dropout, mixing and augmentation draw random numbers in it."""
    fields: dict[str, object] = {
        "model": "tiny",
        "recipe": "test",
        "data": "colors",
        "epochs": 3,
        "batch_size": 8,
        "lr": 0.05,
        "warmup_epochs": 1,
        "save_every": 2,
    }
    return TrainConfig(**{**fields, **changes})


@pytest.fixture
def make_config() -> type[TrainConfig] | object:
    return config
