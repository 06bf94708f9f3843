"""An artifact beside the checkpoint that it was made of."""

from __future__ import annotations

from .base import Fraction, PositiveInt, Record
from .dataset import SplitName
from .metrics import Metrics
from .variant import Floor


class Verification(Record):
    """An artifact, reloaded from disk and executed, against its checkpoint on real images."""

    runtime: str
    split: SplitName
    images: PositiveInt
    max_difference: float
    mean_difference: float
    """Of the probabilities."""
    psnr_db: float | None
    """Of the logits, peak = the checkpoint's largest absolute logit; None: no difference at all."""
    top1_agreement: Fraction
    top5_agreement: Fraction
    """How often the artifact's first class is among the checkpoint's five."""
    reference: Metrics
    artifact: Metrics
    floor: Floor
    failures: tuple[str, ...]
    """The figures that missed the floor, as sentences; empty: passed."""

    @property
    def passed(self) -> bool:
        """Whether every figure reached the floor."""
        return not self.failures
