"""Accuracy."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from .base import Fraction, PositiveInt, Record
from .dataset import SplitName

_ROUNDED = 0.5e-4
"""How far a share may lie from the counts that it was made of: a file written elsewhere may hold four digits."""


class Metrics(Record):
    """Accuracy on one split; `images` says how many were looked at, `total` how many the split has."""

    split: SplitName
    top1: Fraction
    top5: Fraction | None
    """None: of five classes or fewer it is 1 and says nothing."""
    images: PositiveInt
    total: PositiveInt
    loss: float | None = None

    @model_validator(mode="after")
    def _the_counts_fit(self) -> Self:
        if self.images > self.total:
            raise ValueError(f"{self.images} images were looked at, more than the {self.total} that the split has")
        if self.top5 is not None and self.top1 > self.top5:
            raise ValueError(f"top-1 accuracy {self.top1} is above top-5 accuracy {self.top5}")
        for share in (self.top1, self.top5):
            if share is not None and abs(share * self.images - round(share * self.images)) > _ROUNDED * self.images:
                raise ValueError(f"an accuracy of {share} is no whole number of {self.images} images")
        return self
