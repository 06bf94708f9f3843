"""Exported models."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .base import SCHEMA_VERSION, Fraction, PositiveInt, Provenance, Record, Sha256
from .checkpoint import ModelSpec
from .dataset import DatasetIdentity
from .variant import Variant
from .verification import Verification

IMAGE, PROBABILITIES, LABEL = "image", "probabilities", "classLabel"
"""The names of every exported model's input and outputs; the label is Core ML's alone."""


class Tensor(Record):
    """One input or output of an artifact; a None dimension is flexible."""

    name: str
    kind: Literal["image", "tensor", "dictionary", "label"]
    shape: tuple[PositiveInt | None, ...]
    dtype: str


class Artifact(Record):
    """The manifest beside an exported model."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["artifact"] = "artifact"
    path: str
    """The file or folder name, in the manifest's own folder."""
    sha256: Sha256
    """Of a file, or of a folder's sorted (relative path, content sha256) pairs."""
    bytes: PositiveInt
    variant: Variant
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    spec: ModelSpec
    checkpoint_sha256: Sha256
    checkpoint_path: str
    data: str
    dataset: DatasetIdentity | None = None
    """What it was verified on: as in the checkpoint, where no other data was named."""
    verification: Verification | None
    provenance: Provenance


class Golden(Record):
    """`golden.json`: an image, and what the artifact says of it, for whoever runs the package elsewhere."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["golden"] = "golden"
    artifact_sha256: Sha256
    image: str
    image_sha256: Sha256
    width: PositiveInt
    height: PositiveInt
    labels: tuple[str, ...]
    """The expected five first labels, best first (fewer where the model has fewer)."""
    probabilities: tuple[Fraction, ...]
    tolerance: Annotated[float, Field(ge=0)]
    """The largest absolute difference of a probability that a right implementation shows."""
    runtime: str
    provenance: Provenance

    @model_validator(mode="after")
    def _one_ranking(self) -> Self:
        if not 1 <= len(self.labels) == len(self.probabilities) or len(set(self.labels)) != len(self.labels):
            raise ValueError("there is one probability for each of one or more different labels")
        if list(self.probabilities) != sorted(self.probabilities, reverse=True):
            raise ValueError("the labels are not ranked: a probability is above the one before it")
        return self
