"""The tiny network as a checkpoint, for the tests of what comes after a training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tinyml.trainer import checkpoint
from tinyml.trainer.architecture import Architecture, architectures
from tinyml.trainer.data import Dataset

from .trainer.conftest import LABELS, TinyNet, config


def register_tiny(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a tiny architecture, registered for one test."""
    architecture = Architecture(
        title="Tiny",
        paper="https://example.org",
        build=lambda classes, dropout, _: TinyNet(classes, dropout),
        dropout=0.2,
        has_drop_path=False,
    )
    architectures.names()
    monkeypatch.setitem(architectures._entries, "tiny", architecture)
    return "tiny"


def save_tiny(folder: Path, dataset: Dataset, labels: tuple[str, ...] = LABELS, **changes: object) -> Path:
    """The manifest of a checkpoint of it, untrained; `changes` are those of its configuration."""
    torch.manual_seed(0)
    network = TinyNet(len(labels), 0.0).eval()
    return checkpoint.save(
        folder / "checkpoints",
        "best",
        network,
        spec=checkpoint.spec_of("tiny", network, labels, dataset.index.preprocess),
        config=config(**changes),
        dataset_sha256=dataset.sha256,
        dataset=dataset.identity,
    )
