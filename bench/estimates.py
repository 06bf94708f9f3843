"""Figures with intervals from rounds: fresh processes in turn, which share nothing but the machine.

Samples of one process lie close together whatever the truth is (its memory layout, its threads' places, what else ran
just then), so the spread between rounds, not that between samples, says how well a figure is known. Where there is no
second round, the intervals fall back on the samples and are only as good as those are independent.

A machine that is fast for half a minute and slow for the next one moves rounds by more than most changes of a model do,
but neighbors in time alike. Of two sides whose rounds were measured in turn the ratio is therefore told by pairs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np

from tinyml.confidence import CONFIDENCE, Interval
from tinyml.errors import BenchError

from .stats import median_ratio, order_interval, percentile

ROUNDS_FOR_INTERVALS = 3
"""With fewer, the spread between rounds says next to nothing."""

PAIRS_FOR_MEDIANS = 12
"""With so many, the median of the pairs' ratios is known better than their mean wherever some pairs are hit on one side
only; with fewer, its exact interval reaches nearly from the least ratio to the largest."""

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


class Ratio(Protocol):
    """What one side measured over what the other did."""

    @property
    def value(self) -> float:
        """The estimate."""

    @property
    def p(self) -> float:
        """How often chance alone would show as much, were the true ratio 1 (two-sided)."""

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Holds the true ratio so often."""


@dataclass(frozen=True, kw_only=True)
class StudentRatio:
    """A ratio on its logarithmic scale, with an error that follows Student's distribution."""

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


class MedianRatio:
    """The median of the ratios of pairs, with the exact interval of order statistics (the sign test's).

    It assumes of the pairs only that either side is as likely to be the one that is hit: what slows both of a pair is
    in neither, and what slows one of them moves the median by no more than a rank, however long it took.
    """

    def __init__(self, logs: Sequence[float]) -> None:
        self._logs = np.sort(np.asarray(logs, dtype=np.float64))

    @property
    def value(self) -> float:
        """The median."""
        return math.exp(float(np.median(self._logs)))

    @property
    def p(self) -> float:
        """The sign test's; a pair without a difference speaks against either sign."""
        from scipy import stats

        fewest = min(int(np.sum(self._logs <= 0)), int(np.sum(self._logs >= 0)))
        return min(1.0, 2 * float(stats.binom.cdf(fewest, len(self._logs), 0.5)))

    def interval(self, confidence: float = CONFIDENCE) -> Interval:
        """Holds the true ratio at least so often; Student's where the pairs are too few for that confidence."""
        found = order_interval(self._logs, 50, confidence)
        if found is None:
            return self._student.interval(confidence)
        return Interval(low=math.exp(found.low), high=math.exp(found.high))

    @cached_property
    def _student(self) -> StudentRatio:
        return _student(self._logs)


def paired_ratio(a: Sequence[float], b: Sequence[float]) -> Ratio:
    """The ratio of `b` over `a`, of which each was measured beside the other one of the same place.

    Raises:
        BenchError: Fewer than two pairs, sides of different lengths, or a figure that is not positive.
    """
    if len(a) != len(b) or len(a) < 2:
        raise BenchError("no ratio of pairs", value=f"{len(a)} and {len(b)}", allowed="two or more on either side")
    if min(*a, *b) <= 0:
        raise BenchError("no ratio: a figure is not positive", value=min(*a, *b))
    logs = np.log(np.asarray(b, dtype=np.float64)) - np.log(np.asarray(a, dtype=np.float64))
    return MedianRatio(logs.tolist()) if len(logs) >= PAIRS_FOR_MEDIANS else _student(logs)


def welch_ratio(a: Sequence[float], b: Sequence[float]) -> StudentRatio:
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
    return StudentRatio(value=math.exp(float(y.mean() - x.mean())), error=math.sqrt(total), freedom=freedom)


def sample_ratio(a: Sequence[int | float], b: Sequence[int | float]) -> StudentRatio:
    """The ratio of the medians of `b` and `a`, from the samples of one round each, taken for independent."""
    value, interval = median_ratio(a, b)
    error = math.log(interval.high / interval.low) / (2 * _t(CONFIDENCE, _MANY))
    return StudentRatio(value=value, error=error, freedom=_MANY)


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


def _student(logs: np.ndarray) -> StudentRatio:
    """Of the logarithms of pairs' ratios."""
    error = float(logs.std(ddof=1)) / math.sqrt(len(logs))
    return StudentRatio(value=math.exp(float(logs.mean())), error=error, freedom=float(len(logs) - 1))


def _share_below(samples: np.ndarray, value: float) -> float:
    """The share of samples below `value`, those equal to it counted half: timers are coarse."""
    return float(np.mean(samples < value) + np.mean(samples == value) / 2)


@lru_cache(maxsize=1024)
def _t(confidence: float, freedom: float) -> float:
    from scipy import stats

    return float(stats.t.ppf((1 + confidence) / 2, freedom))
