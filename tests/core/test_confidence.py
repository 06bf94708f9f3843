"""The interval of a share, against an implementation that everybody trusts."""

from __future__ import annotations

import pytest
from scipy import stats

from tinyml.confidence import share_told, top1_told, wilson_interval
from tinyml.schema import Metrics


@pytest.mark.parametrize(("right", "count"), [(0, 1), (1, 1), (0, 40), (40, 40), (395, 400), (6012, 10_000), (1, 3)])
def test_it_is_wilsons(right: int, count: int) -> None:
    found = wilson_interval(right / count, count)
    # Oracle: scipy; both are a few float64 operations.
    expected = stats.binomtest(right, count).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= found.low <= right / count <= found.high <= 1


def test_an_accuracy_is_told_with_it() -> None:
    metrics = Metrics(split="test", top1=0.9875, top5=None, images=400, total=400)
    assert top1_told(metrics) == "98.75% (97.11 to 99.46)"
    assert (share_told(metrics.top5), share_told(0.5)) == ("-", "50.00%")
