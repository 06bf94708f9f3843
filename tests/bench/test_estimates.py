"""Intervals hold what they promise: simulations with a known truth, drifting machines among them."""

from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tinyml.bench.estimates import holm, percentile_estimate, welch_ratio
from tinyml.bench.stats import order_interval, percentile
from tinyml.errors import BenchError

TRIALS = 1000
LEAST = 930
"""Of 1,000 intervals at 95%, this many hold the truth with a probability beyond 99.5% if they are honest."""


def rounds_of(generator: np.random.Generator, rounds: int, samples: int, between: float, factor: float = 1.0) -> Any:
    """Rounds of one machine: a level a round, samples that depend on each other within it, and spikes."""
    found = []
    for _ in range(rounds):
        level = factor * 1e6 * np.exp(generator.normal(0, between))
        slow = np.repeat(generator.normal(0, 0.01, samples // 16 + 1), 16)[:samples]
        spikes = np.where(generator.random(samples) < 0.03, generator.exponential(1.0, samples), 0)
        found.append(level * np.exp(generator.normal(0, 0.02, samples) + slow) * (1 + spikes))
    return found


@pytest.mark.parametrize("between", [0.0, 0.03, 0.3])
@pytest.mark.parametrize("q", [50, 90])
def test_intervals_of_percentiles_hold_the_true_one(between: float, q: float) -> None:
    generator = np.random.default_rng(7)
    # Oracle: the percentile of so many rounds that chance is out of it.
    truth = percentile(np.concatenate(rounds_of(generator, 20_000, 100, between)), q)
    held = 0
    for _ in range(TRIALS):
        interval = percentile_estimate(rounds_of(generator, 6, 100, between), q).interval
        assert interval is not None
        held += interval.low <= truth <= interval.high
    assert held >= LEAST


@pytest.mark.parametrize("between", [0.0, 0.03, 0.3])
@pytest.mark.parametrize("q", [50, 90])
@pytest.mark.parametrize("factor", [1.0, 1.1])
def test_intervals_of_ratios_hold_the_true_one(between: float, q: float, factor: float) -> None:
    generator = np.random.default_rng(11)
    held = 0
    for _ in range(TRIALS):
        a = [percentile(samples, q) for samples in rounds_of(generator, 5, 60, between)]
        b = [percentile(samples, q) for samples in rounds_of(generator, 5, 60, between, factor)]
        interval = welch_ratio(a, b).interval()
        held += interval.low <= factor <= interval.high
    assert held >= LEAST


def test_many_cases_together_err_one_time_in_twenty() -> None:
    generator = np.random.default_rng(3)
    false_alarms = 0
    for _ in range(TRIALS):
        ratios = [welch_ratio(*np.exp(generator.normal(0, 0.05, (2, 5)))) for _ in range(20)]
        levels = holm([ratio.p for ratio in ratios])
        false_alarms += any(ratio.p < level for ratio, level in zip(ratios, levels, strict=True))
    assert false_alarms <= TRIALS - LEAST


def test_welch_is_scipys() -> None:
    generator = np.random.default_rng(1)
    a, b = np.exp(generator.normal(0, 0.1, 7)), np.exp(generator.normal(0.2, 0.3, 4))
    ours = welch_ratio(a.tolist(), b.tolist())
    theirs = scipy_stats.ttest_ind(np.log(b), np.log(a), equal_var=False)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    expected = np.exp(list(theirs.confidence_interval(0.99)))
    assert [ours.interval(0.99).low, ours.interval(0.99).high] == pytest.approx(expected, rel=1e-9)


def test_holms_levels_and_intervals_agree_with_its_verdicts() -> None:
    # By hand: 0.001 < 0.05/4 and 0.01 < 0.05/3 are found; 0.03 fails at 0.05/2, and 0.04 is held against that too.
    assert holm([0.03, 0.001, 0.04, 0.01]) == pytest.approx([0.025, 0.0125, 0.025, 0.05 / 3])
    assert holm([]) == []
    assert holm([0.04]) == pytest.approx([0.05])


@pytest.mark.parametrize("q", [50, 90, 99])
@pytest.mark.parametrize("n", [20, 500, 1024])
def test_order_statistics_cover_any_percentile_and_no_narrower_pair_does(n: int, q: float) -> None:
    interval = order_interval(np.arange(1.0, n + 1), q)
    cover = scipy_stats.binom(n, q / 100)
    if interval is None:
        assert min(cover.cdf(0), 1 - cover.cdf(n - 1)) > 0.025 or 1 - cover.cdf(n - 1) > 0.025
        return
    low, high = int(interval.low), int(interval.high)
    assert cover.cdf(low - 1) <= 0.025 < cover.cdf(low)
    assert 1 - cover.cdf(high - 1) <= 0.025 < 1 - cover.cdf(high - 2)


def test_equal_rounds_differ_in_nothing() -> None:
    ratio = welch_ratio([5.0, 5.0], [5.0, 5.0])
    assert (ratio.value, ratio.p) == (1, 1)
    assert ratio.interval().low == 1 == ratio.interval().high
    assert welch_ratio([5.0, 5.0], [6.0, 6.0]).p == 0


@pytest.mark.parametrize(("a", "b"), [([1.0], [1.0, 2.0]), ([1.0, 2.0], []), ([1.0, 0.0], [1.0, 2.0])])
def test_no_ratio_of_too_little(a: Any, b: Any) -> None:
    with pytest.raises(BenchError, match="no ratio"):
        welch_ratio(a, b)
