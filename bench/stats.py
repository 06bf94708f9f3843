"""The one place where samples become statistics.

Percentiles interpolate linearly between the closest ranks: the q-th lies at position q / 100 * (n - 1) of the sorted
samples (type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50, 1996).
The confidence interval of the median is the one of order statistics: it assumes independent samples and nothing of
their distribution.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyml.confidence import CONFIDENCE, Interval
from tinyml.errors import BenchError

DRIFT_LIMIT = 0.05
"""How far the medians of the two halves of a series may lie apart (MLPerf Mobile asks for runs repeatable to 5%)."""
SAMPLES_FOR_P99 = 100
"""With fewer, the 99th percentile is little else than the largest sample."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is told of a series; every figure in the unit of its samples."""

    count: int
    min: float
    max: float
    mean: float
    std: float | None
    """Of a sample (n - 1); None for a single one."""
    p50: float
    p90: float
    p95: float
    p99: float
    median_interval: Interval | None
    """95% confidence interval of the median; None below six samples, which allow none."""


def summarize(samples: Sequence[int | float]) -> Summary:
    """The statistics of `samples`; raises BenchError for none at all or a value that is not finite."""
    values = _finite(samples)
    ordered = np.sort(values)
    return Summary(
        count=len(values),
        min=float(ordered[0]),
        max=float(ordered[-1]),
        mean=math.fsum(values) / len(values),
        std=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        p50=percentile(ordered, 50),
        p90=percentile(ordered, 90),
        p95=percentile(ordered, 95),
        p99=percentile(ordered, 99),
        median_interval=order_interval(ordered, 50),
    )


def percentile(samples: Sequence[int | float] | np.ndarray, q: float) -> float:
    """The `q`-th percentile, 0 to 100, interpolated linearly between the closest ranks."""
    if not 0 <= q <= 100:
        raise BenchError("no such percentile", value=q, allowed="0 to 100")
    ordered = np.sort(_finite(samples))
    position = q / 100 * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (position - below))


def validity_flags(samples: Sequence[int | float]) -> tuple[str, ...]:
    """What makes a latency series doubtful.

    "few_samples": too few for a 99th percentile. "unsteady": the medians of its two halves differ by more than 5%.
    """
    flags = []
    if len(samples) < SAMPLES_FOR_P99:
        flags.append("few_samples")
    half = len(samples) // 2
    if half:
        first, second = percentile(samples[:half], 50), percentile(samples[half:], 50)
        if abs(second - first) > DRIFT_LIMIT * first:
            flags.append("unsteady")
    return tuple(flags)


def median_ratio(a: Sequence[int | float], b: Sequence[int | float]) -> tuple[float, Interval]:
    """The median of `b` over that of `a`, with its 95% bootstrap interval (10,000 resamples, fixed seed).

    A resample's median is drawn directly: of n independent draws it is the order statistic whose rank among the
    samples follows Beta((n + 1) / 2, (n + 1) / 2), so no resample has to be made.
    """
    generator = np.random.default_rng(0)
    draws = []
    for samples in (a, b):
        ordered, half = np.sort(_finite(samples)), (len(samples) + 1) / 2
        ranks = (generator.beta(half, half, 10_000) * len(ordered)).astype(np.int64)
        draws.append(ordered[np.minimum(ranks, len(ordered) - 1)])
    base = percentile(a, 50)
    if base <= 0 or draws[0].min() <= 0:
        raise BenchError("no ratio of medians: a median is not positive", value=base)
    ratios = draws[1] / draws[0]
    tail = (1 - CONFIDENCE) / 2 * 100
    return percentile(b, 50) / base, Interval(low=percentile(ratios, tail), high=percentile(ratios, 100 - tail))


def order_interval(ordered: np.ndarray, q: float, confidence: float = CONFIDENCE) -> Interval | None:
    """Between two of the sorted samples: the closest ones around the `q`-th percentile that cover enough.

    The number of samples below the true percentile is binomial; None where the samples are too few for either end.
    """
    low, high = _ranks(len(ordered), q, confidence)
    if low < 1 or high > len(ordered):
        return None
    return Interval(low=float(ordered[low - 1]), high=float(ordered[high - 1]))


@functools.lru_cache(maxsize=1024)
def _ranks(n: int, q: float, confidence: float) -> tuple[int, int]:
    from scipy.stats import binom

    tail = (1 - confidence) / 2
    below = binom.cdf(np.arange(n), n, q / 100)  # P(at most k samples lie below)
    # An end is the largest (smallest) rank whose tail is still small enough.
    low = int(np.searchsorted(below, tail, side="right"))
    return low, int(np.searchsorted(below, 1 - tail, side="left")) + 1


def _finite(samples: Sequence[int | float] | np.ndarray) -> np.ndarray:
    values = np.asarray(samples, dtype=np.float64)
    if values.size == 0:
        raise BenchError("no statistics of an empty series")
    if not np.isfinite(values).all():
        raise BenchError("no statistics of samples that are not finite")
    return values
