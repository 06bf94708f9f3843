"""An artifact beside the checkpoint that it was made of."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from .base import Fraction, PositiveInt, Record
from .dataset import SplitName
from .metrics import Metrics
from .variant import Floor

_ROUNDING = 1e-9
"""Of a mean of equal values."""


class Verification(Record):
    """An artifact, reloaded from disk and executed, against its checkpoint on real images."""

    runtime: str
    split: SplitName
    images: PositiveInt
    max_difference: Annotated[float, Field(ge=0)]
    mean_difference: Annotated[float, Field(ge=0)]
    """Of the probabilities."""
    psnr_db: float | None
    """Of the logits, peak = the checkpoint's largest absolute logit; None: no difference at all."""
    top1_agreement: Fraction
    top5_agreement: Fraction | None
    """How often the artifact's first class is among the checkpoint's five; None: with five classes or fewer."""
    reference: Metrics
    artifact: Metrics
    floor: Floor
    failures: tuple[str, ...]
    """The figures that missed the floor, as sentences; empty: passed."""

    @model_validator(mode="after")
    def _both_sides_saw_the_same_images(self) -> Self:
        sides = (self.reference, self.artifact)
        if any((side.split, side.images, side.total) != (self.split, self.images, sides[0].total) for side in sides):
            raise ValueError("the checkpoint and the artifact were not measured on the images that were compared")
        if self.mean_difference > self.max_difference * (1 + _ROUNDING):
            raise ValueError("the mean difference is above the largest")
        if self.top5_agreement is not None and self.top1_agreement > self.top5_agreement:
            raise ValueError("agreement on the first class is above agreement among the five first")
        return self

    @property
    def passed(self) -> bool:
        """Whether every figure reached the floor."""
        return not self.failures
