"""Figures with intervals from rounds: fresh processes in turn, which share nothing but the machine.

Samples of one process lie close together whatever the truth is (its memory layout, its threads' places, what else ran
just then), so the spread between rounds, not that between samples, says how well a figure is known. Where there is no
second round, the intervals fall back on the samples and are only as good as those are independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyml.confidence import CONFIDENCE, Interval
from tinyml.errors import BenchError

from .stats import median_ratio, order_interval, percentile

ROUNDS_FOR_INTERVALS = 3
"""With fewer, the spread between rounds says next to nothing."""

_MANY = 1e6
"""Degrees of freedom with which Student's distribution is the normal one."""

Rounds = Sequence[Sequence[int | float]]
"""The samples of each round, in order."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure and the interval that holds the true one; None: too few samples for any."""

    value: float
    interval: Interval | None


def percentile_estimate(rounds: Rounds, q: float, confidence: float = CONFIDENCE) -> Estimate:
    """The `q`-th percentile of all rounds together, with its interval.

    The interval is Woodruff's ("Confidence intervals for medians and other position measures", JASA 47, 1952) with
    rounds as clusters: how the share of samples below the figure differs between rounds says how far the percentile
    may lie from `q`, and the samples say what lies there. With fewer than three rounds: order statistics.
    """
    pooled = np.sort(np.concatenate([np.asarray(samples, dtype=np.float64) for samples in rounds]))
    value = percentile(pooled, q)
    if len(rounds) < ROUNDS_FOR_INTERVALS:
        return Estimate(value=value, interval=order_interval(pooled, q, confidence))
    below = [_share_below(np.asarray(samples, dtype=np.float64), value) for samples in rounds]
    weights = np.array([len(samples) for samples in rounds], dtype=np.float64) / len(pooled)
    spread = math.sqrt(float(np.sum(weights**2 * (np.array(below) - q / 100) ** 2)) * len(rounds) / (len(rounds) - 1))
    reach = 100 * _t(confidence, len(rounds) - 1) * spread
    within = order_interval(pooled, q, confidence)
    low, high = percentile(pooled, max(0.0, q - reach)), percentile(pooled, min(100.0, q + reach))
    if within is not None:  # rounds that agree by chance know no more than their samples
        low, high = min(low, within.low), max(high, within.high)
    return Estimate(value=value, interval=Interval(low=low, high=high))


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A ratio on its logarithmic scale: what Welch's test needs and gives."""

    value: float
    error: float
    """The standard error of its logarithm."""
    freedom: float
    """Degrees of freedom."""

    @property
    def p(self) -> float:
        """How often chance alone would show as much, were the true ratio 1 (two-sided)."""
        from scipy import stats

        if self.error == 0:
            return 1.0 if self.value == 1 else 0.0
        return float(2 * stats.t.sf(abs(math.log(self.value)) / self.error, self.freedom))

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Holds the true ratio so often."""
        reach = math.exp(min(_t(confidence, self.freedom) * self.error, 700.0))
        return Interval(low=self.value / reach, high=self.value * reach)


def welch_ratio(a: Sequence[float], b: Sequence[float]) -> Ratio:
    """The ratio of what `b` measures over what `a` does, by Welch's test on the logarithms of one figure a round.

    Raises:
        BenchError: Fewer than two rounds on a side, or a figure that is not positive.
    """
    if min(len(a), len(b)) < 2:
        raise BenchError("no ratio of fewer than two rounds", value=f"{len(a)} and {len(b)}")
    if min(*a, *b) <= 0:
        raise BenchError("no ratio: a figure is not positive", value=min(*a, *b))
    x, y = np.log(np.asarray(a, dtype=np.float64)), np.log(np.asarray(b, dtype=np.float64))
    shares = float(x.var(ddof=1)) / len(x), float(y.var(ddof=1)) / len(y)
    total = sum(shares)
    freedom = (
        total**2 / (shares[0] ** 2 / (len(x) - 1) + shares[1] ** 2 / (len(y) - 1))
        if total > 0
        else float(len(x) + len(y) - 2)
    )
    return Ratio(value=math.exp(float(y.mean() - x.mean())), error=math.sqrt(total), freedom=freedom)


def sample_ratio(a: Sequence[int | float], b: Sequence[int | float]) -> Ratio:
    """The ratio of the medians of `b` and `a`, from the samples of one round each, taken for independent."""
    value, interval = median_ratio(a, b)
    return Ratio(value=value, error=math.log(interval.high / interval.low) / (2 * _t(CONFIDENCE, _MANY)), freedom=_MANY)


def holm(p_values: Sequence[float], alpha: float = 1 - CONFIDENCE) -> list[float]:
    """The level at which each of several tests is to be read, so that all together err at most `alpha` of the time.

    Holm's step-down ("A simple sequentially rejective multiple test procedure", 1979): the smallest p is held against
    alpha / m, the next against alpha / (m - 1) and so on; from the first that fails on, all are held against its level.
    An interval at confidence 1 - level excludes "no difference" exactly where Holm finds one.
    """
    levels = [alpha] * len(p_values)
    failed: float | None = None
    for rank, i in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        level = alpha / (len(p_values) - rank)
        if failed is None and p_values[i] >= level:
            failed = level
        levels[i] = level if failed is None else failed
    return levels


def _share_below(samples: np.ndarray, value: float) -> float:
    """The share of samples below `value`, those equal to it counted half: timers are coarse."""
    return float(np.mean(samples < value) + np.mean(samples == value) / 2)


def _t(confidence: float, freedom: float) -> float:
    from scipy import stats

    return float(stats.t.ppf((1 + confidence) / 2, freedom))
