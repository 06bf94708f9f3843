import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from tinyml.bench import stats
from tinyml.errors import BenchError

SHARED = json.loads((Path(__file__).parents[1] / "fixtures" / "results" / "statistics.json").read_text())
SAMPLES = st.lists(st.integers(0, 2**53), min_size=1, max_size=300)


@pytest.mark.parametrize("case", SHARED["cases"], ids=lambda case: case["name"])
def test_the_shared_fixture_is_what_python_says(case: Any) -> None:
    summary, expected = stats.summarize(case["samples"]), case["expected"]
    for name in ("count", "min", "max", "mean", "p50", "p90", "p95", "p99"):
        assert getattr(summary, name) == pytest.approx(expected[name], rel=1e-12), name
    assert (summary.std is None) == (expected["std"] is None)
    assert summary.std is None or summary.std == pytest.approx(expected["std"], rel=1e-12)
    interval = summary.median_interval
    assert (None if interval is None else [interval.low, interval.high]) == expected["median_interval"]
    assert list(stats.validity_flags(case["samples"])) == case["flags"]


@given(SAMPLES, st.floats(0, 100))
def test_percentiles_are_numpys_linear_ones(samples: Any, q: Any) -> None:
    # The oracle interpolates with other operations; both are exact but for rounding.
    assert stats.percentile(samples, q) == pytest.approx(np.percentile(samples, q), rel=1e-12, abs=1e-6)


@pytest.mark.parametrize("n", [6, 7, 20, 99, 100, 1001, 5000])
def test_the_medians_interval_covers_95_percent_and_no_narrower_one_does(n: Any) -> None:
    interval = stats.summarize(range(1, n + 1)).median_interval
    assert interval is not None
    k = int(interval.low)
    assert interval.high == n + 1 - k
    assert 1 - 2 * binom.cdf(k - 1, n, 0.5) >= 0.95  # oracle: scipy's binomial distribution
    assert 1 - 2 * binom.cdf(k, n, 0.5) < 0.95


def test_five_samples_allow_no_interval() -> None:
    assert stats.summarize([1, 2, 3, 4, 5]).median_interval is None


def test_drift_is_flagged_and_noise_is_not() -> None:
    assert stats.validity_flags([1000] * 100 + [1060] * 100) == ("unsteady",)
    assert stats.validity_flags([1000] * 100 + [1040] * 100) == ()
    assert stats.validity_flags([1000, 1090] * 100) == ()
    assert stats.validity_flags([5]) == ("few_samples",)


def test_the_ratio_of_medians_finds_a_known_factor() -> None:
    generator = np.random.default_rng(0)
    a = generator.normal(1e6, 3e4, 500).astype(int).tolist()
    b = generator.normal(1.5e6, 4e4, 500).astype(int).tolist()
    ratio, interval = stats.median_ratio(a, b)
    assert interval.low < ratio < interval.high
    assert interval.low < 1.5 < interval.high
    assert interval.high - interval.low < 0.03


def test_the_interval_of_the_ratio_is_that_of_real_resampling() -> None:
    generator = np.random.default_rng(5)
    a, b = generator.integers(900, 1100, 201), generator.integers(1000, 1300, 201)
    _, interval = stats.median_ratio(a.tolist(), b.tolist())
    draws = [np.median(generator.choice(b, 201)) / np.median(generator.choice(a, 201)) for _ in range(4000)]
    # Oracle: the bootstrap done the long way; both ends within the noise of so many resamples.
    assert [interval.low, interval.high] == pytest.approx(np.percentile(draws, [2.5, 97.5]).tolist(), abs=0.015)


@pytest.mark.parametrize("samples", [[], [float("nan")], [float("inf"), 1]])
def test_nothing_is_said_of_no_samples_or_of_what_is_not_finite(samples: Any) -> None:
    with pytest.raises(BenchError, match="no statistics of"):
        stats.summarize(samples)


def test_no_ratio_over_zero() -> None:
    with pytest.raises(BenchError, match="not positive"):
        stats.median_ratio([0, 0], [1, 2])
