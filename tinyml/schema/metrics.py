"""Accuracy."""

from __future__ import annotations

from .base import Fraction, PositiveInt, Record
from .dataset import SplitName


class Metrics(Record):
    """Accuracy on one split; `images` says how many were looked at, `total` how many the split has."""

    split: SplitName
    top1: Fraction
    top5: Fraction
    images: PositiveInt
    total: PositiveInt
    loss: float | None = None
