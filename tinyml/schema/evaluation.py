"""Accuracies, kept by model."""

from __future__ import annotations

from typing import Literal

from .base import SCHEMA_VERSION, PositiveInt, Provenance, Record, Sha256
from .metrics import Metrics


class EvaluatedModel(Record):
    """The accuracy of one checkpoint or artifact."""

    variant: str
    """The variant's name, or "checkpoint" for the network as trained."""
    path: str
    sha256: Sha256
    bytes: PositiveInt
    runtime: str
    metrics: Metrics
    provenance: Provenance


class Evaluations(Record):
    """`test_results.json`: what was measured of one model, the newest measurement of each file."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["evaluations"] = "evaluations"
    model: str
    """The architecture."""
    data: str
    results: tuple[EvaluatedModel, ...]
