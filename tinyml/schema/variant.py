"""Rows of the export menu."""

from __future__ import annotations

from typing import Literal

from .base import Fraction, Record
from .compression import Compression


class Floor(Record):
    """What an artifact must reach against its checkpoint to be exported at all."""

    top1_agreement: Fraction
    """Counted as agreement is what the checkpoint is undecided about: a class whose logit it puts no further below its
    first than errors of the size that `psnr_db` allows turn round."""
    psnr_db: float
    max_accuracy_drop: Fraction
    """Top-1 of the checkpoint less that of the artifact, where it is more than chance among equals explains."""


class Variant(Record):
    """One row of the export menu."""

    name: str
    format: Literal["coreml", "onnx", "coreai"]
    precision: Literal["fp32", "fp16"]
    compression: tuple[Compression, ...] = ()
    """In the order in which they are applied; several on the same weights are joint compression."""
    minimum_target: str | None = None
    """The deployment target as coremltools names it ("iOS16"); None where the format has none."""
    summary: str
    floor: Floor
