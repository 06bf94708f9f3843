from typing import Any

import pytest

from tinyml.bench.conditions import hold, parse
from tinyml.bench.matching import matches_between
from tinyml.errors import UnknownNameError, UsageError
from tinyml.schema import BenchRun, Metrics

from .test_comparison import measured


@pytest.mark.parametrize(
    ("text", "name", "above", "limit", "relative"),
    [
        ("p90 > 1.1x", "p90", True, 1.1, True),
        (" load>20ms ", "load", True, 20e6, False),
        ("p50 > 0.5 s", "p50", True, 5e8, False),
        ("size > 12 MB", "size", True, 12e6, False),
        ("top1 < 55%", "top1", False, 0.55, False),
        ("top1 < 0.99x", "top1", False, 0.99, True),
    ],
)
def test_what_a_condition_says(text: str, name: str, above: bool, limit: float, relative: bool) -> None:
    found = parse(text)
    assert (found.measure.name, found.above, found.relative) == (name, above, relative)
    assert found.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    "text", ["", "p90", "p90 > ", "p90 >= 1.1x", "p90 > -1x", "p90 > 1.1 MB", "size > 3 ms", "p90 > 5", "1.1x < p90"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_an_unknown_measure_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'peak_memory'"):
        parse("peak_memry > 1.1x")


def outcomes(a: BenchRun, b: BenchRun, text: str) -> list[str]:
    return [row.outcome for row in hold([parse(text)], matches_between(a, [b]).matches)]


@pytest.mark.parametrize(
    ("levels", "text", "outcome"),
    [
        ([6.0, 6.02, 5.98], "p90 > 1.1x", "failed"),
        ([5.3, 5.32, 5.28], "p90 > 1.1x", "kept"),
        # Beyond the limit, but so unsteady that the two may be the same.
        ([4.0, 6.0, 9.0], "p90 > 1.1x", "undecided"),
        ([6.0, 6.02, 5.98], "p50 > 5.5 ms", "failed"),
        ([6.0, 6.02, 5.98], "p50 > 6.5 ms", "kept"),
        ([4.0, 4.02, 3.98], "p50 < 0.9x", "failed"),
        ([5.0, 5.0, 5.0], "size > 1.0x", "kept"),
    ],
)
def test_outcomes(linux_run: BenchRun, levels: Any, text: str, outcome: str) -> None:
    a = measured(linux_run, "a", {"m": [5.0, 5.01, 4.99]})
    assert outcomes(a, measured(linux_run, "b", {"m": levels}), text) == [outcome]


def test_what_was_not_measured_is_no_pass(linux_run: BenchRun) -> None:
    a = measured(linux_run, "a", {"m": [5.0, 5.1], "n": [5.0, 5.1]})
    b = measured(linux_run, "b", {"m": [5.0, 5.1]})
    assert outcomes(a, b, "p50 > 2x") == ["not measured", "kept"] or outcomes(a, b, "p50 > 2x") == [
        "kept",
        "not measured",
    ]


def test_an_accuracy_has_no_chance_in_it(linux_run: BenchRun) -> None:
    def with_top1(name: str, top1: float) -> BenchRun:
        run = measured(linux_run, name, {"m": [5.0, 5.1]})
        accuracy = Metrics(split="test", top1=top1, top5=1, images=1000, total=1000)
        return run.model_copy(update={"results": (run.results[0].model_copy(update={"accuracy": accuracy}),)})

    assert outcomes(with_top1("a", 0.5), with_top1("b", 0.49), "top1 < 0.99x") == ["failed"]
    assert outcomes(with_top1("a", 0.5), with_top1("b", 0.499), "top1 < 0.99x") == ["kept"]
    assert outcomes(with_top1("a", 0.5), with_top1("b", 0.4), "top1 < 45%") == ["failed"]
