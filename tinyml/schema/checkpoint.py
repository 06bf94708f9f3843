"""Trained networks."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from .base import SCHEMA_VERSION, Count, PositiveInt, Provenance, Record, Sha256
from .dataset import DatasetIdentity
from .metrics import Metrics
from .preprocess import Preprocess
from .training import TrainConfig


class ModelSpec(Record):
    """What a network is, apart from its weights."""

    architecture: str
    parameters: PositiveInt
    labels: tuple[str, ...]
    preprocess: Preprocess

    @model_validator(mode="after")
    def _labels_are_unique(self) -> ModelSpec:
        # Core ML's dictionary output would silently merge equal labels.
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be unique")
        return self

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.labels)


class Checkpoint(Record):
    """The manifest beside a `.safetensors` file of weights, or several and their index."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["checkpoint"] = "checkpoint"
    path: str
    """The name of the weights' file, or of the index of several, in the manifest's own folder."""
    sha256: Sha256
    spec: ModelSpec
    config: TrainConfig
    dataset_sha256: Sha256
    """Of the data set's index file."""
    dataset: DatasetIdentity | None = None
    """None: made before this was kept."""
    epoch: Count
    metrics: tuple[Metrics, ...]
    provenance: Provenance
