"""Accuracies, kept by model."""

from __future__ import annotations

from typing import Literal

from .base import SCHEMA_VERSION, PositiveInt, Provenance, Record, Sha256
from .metrics import Metrics

ENSEMBLE = "ensemble"
"""What is the mean of several models."""
FLIP = "+flip"
"""At the end of what is the mean over each image and its mirror image."""


class EvaluatedModel(Record):
    """The accuracy of one checkpoint or artifact, or of several together."""

    variant: str
    """The variant's name, or "checkpoint" for the network as trained, or `ENSEMBLE`; with `FLIP`, too."""
    path: str
    sha256: Sha256
    bytes: PositiveInt
    runtime: str
    metrics: Metrics
    data: str | None = None
    """The data set it was measured on; None: that of the whole record."""
    provenance: Provenance

    @property
    def alone(self) -> bool:
        """Whether it is the accuracy of one file, which sees each image once."""
        return not self.variant.endswith(FLIP) and self.variant != ENSEMBLE


class Evaluations(Record):
    """`test_results.json`: what was measured of one model, the newest measurement of each file."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["evaluations"] = "evaluations"
    model: str
    """The architecture."""
    data: str
    """The data set of all results that name no other one."""
    results: tuple[EvaluatedModel, ...]
