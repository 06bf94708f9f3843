"""How sure a share is that was counted on so many images: Wilson's score interval, and accuracies with it in words.

Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927. Unlike share +- 1.96
standard errors it stays within 0 to 1, and is not empty where all or none were right. It takes the images for a sample
of those that the network will meet; two networks measured on the same images differ by less than their intervals say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyml.schema import Metrics

CONFIDENCE = 0.95
_Z = 1.959963984540054
"""The normal distribution's 97.5th percentile."""

ABSENT = "-"


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A closed interval."""

    low: float
    high: float


def wilson_interval(share: float, count: int) -> Interval:
    """The 95% interval of a share, 0 to 1, that was seen on `count` independent cases, at least 1."""
    center = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    # Where all or none were right the interval ends there, which rounding would miss.
    return Interval(
        low=0.0 if share == 0 else max(0.0, center - half), high=1.0 if share == 1 else min(1.0, center + half)
    )


def top1_interval(metrics: Metrics) -> Interval:
    """The 95% interval of the top-1 accuracy."""
    return wilson_interval(metrics.top1, metrics.images)


def top1_told(metrics: Metrics) -> str:
    """The top-1 accuracy with its interval: "98.75% (97.11 to 99.46)"."""
    return accuracy_told(metrics.top1, metrics.images)


def accuracy_told(share: float, count: int) -> str:
    """A share that was seen on `count` images, with its interval: "98.75% (97.11 to 99.46)"."""
    found = wilson_interval(share, count)
    return f"{share:.2%} ({found.low * 100:.2f} to {found.high * 100:.2f})"


def share_told(share: float | None) -> str:
    """A share in percent; a dash where it says nothing."""
    return ABSENT if share is None else f"{share:.2%}"
