"""Intervals hold what they promise: simulations with a known truth, drifting machines among them."""

from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from tinyml.bench.estimates import PAIRS_FOR_MEDIANS, holm, paired_ratio, percentile_estimate, welch_ratio
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


def pairs_of(generator: np.random.Generator, count: int, factor: float, alike: bool, single: bool) -> Any:
    """Neighbors on a machine that is slow for stretches of rounds (`alike`), or for one of a pair (`single`)."""
    levels = np.exp(generator.normal(0, 0.01, (2, count)))
    if alike:
        stretches = np.repeat(generator.choice([1.0, 1.15, 1.6], count), generator.integers(1, 8, count))[:count]
        levels *= stretches * np.exp(np.cumsum(generator.normal(0, 0.02, count)))
    if single:
        hit = generator.random((2, count)) < 0.2
        levels *= np.where(hit, generator.uniform(1.05, 1.5, (2, count)), 1)
    return levels[0] * 1e6, levels[1] * 1e6 * factor


@pytest.mark.parametrize("count", [5, 8, 16, 48])
@pytest.mark.parametrize(("alike", "single"), [(False, False), (True, False), (False, True), (True, True)])
def test_intervals_of_pairs_hold_the_true_ratio(count: int, alike: bool, single: bool) -> None:
    generator, factor = np.random.default_rng(5), 1.1
    held = 0
    for _ in range(TRIALS):
        interval = paired_ratio(*pairs_of(generator, count, factor, alike, single)).interval()
        held += interval.low <= factor <= interval.high
    assert held >= LEAST


def test_pairs_see_through_stretches_that_hide_the_difference_from_either_side_alone() -> None:
    generator = np.random.default_rng(6)
    by_pairs, alone = 0, 0
    for _ in range(100):
        a, b = pairs_of(generator, 48, 1.1, alike=True, single=True)
        by_pairs += paired_ratio(a, b).interval().low > 1
        alone += welch_ratio(a, b).interval().low > 1
    assert by_pairs > 95
    assert alone < 75


def test_medians_of_pairs_are_scipys() -> None:
    generator = np.random.default_rng(2)
    a, b = np.exp(generator.normal(0, 0.1, (2, 30)))
    logs, ours = np.log(b / a), paired_ratio(a, b)
    theirs = scipy_stats.quantile_test(logs, q=0, p=0.5)
    assert ours.value == pytest.approx(np.exp(np.median(logs)))
    assert ours.p == pytest.approx(min(1.0, theirs.pvalue))
    for confidence in (0.95, 0.99):
        expected = np.exp(list(theirs.confidence_interval(confidence)))
        found = ours.interval(confidence)
        assert [found.low, found.high] == pytest.approx(expected)


def test_few_pairs_are_scipys_paired_test() -> None:
    a, b = np.exp(np.random.default_rng(3).normal(0, 0.1, (2, PAIRS_FOR_MEDIANS - 1)))
    ours, theirs = paired_ratio(a, b), scipy_stats.ttest_rel(np.log(b), np.log(a))
    assert ours.p == pytest.approx(theirs.pvalue)
    found = ours.interval()
    assert [found.low, found.high] == pytest.approx(np.exp(list(theirs.confidence_interval())))


@pytest.mark.parametrize("count", [13, 20, 48])
def test_an_interval_of_pairs_excludes_one_exactly_where_its_test_does(count: int) -> None:
    for less in range(count + 1):
        ratio = paired_ratio([1.0] * count, [0.99 - i / 1e3 for i in range(less)] + [1.01] * (count - less))
        interval = ratio.interval()
        assert (ratio.p > 0.05) == (interval.low <= 1 <= interval.high)


def test_pairs_too_few_for_a_confidence_have_a_wide_interval_not_none() -> None:
    ratio = paired_ratio([1.0] * 12, [2.0 + i / 100 for i in range(12)])
    assert ratio.interval(0.95).low > 2
    wide = ratio.interval(1 - 1e-6)  # as of fifty thousand cases together
    assert 1 < wide.low < 2 < wide.high < 3


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
    for ratio in (welch_ratio, paired_ratio):
        with pytest.raises(BenchError, match="no ratio"):
            ratio(a, b)
