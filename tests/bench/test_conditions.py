from typing import Any

import pytest

from tinyml.bench.comparison import compare
from tinyml.bench.conditions import ConditionRow, hold, parse
from tinyml.bench.matching import matches_between
from tinyml.bench.verdicts import comparison_markdown
from tinyml.errors import BenchError, UnknownNameError, UsageError
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
    a, b = with_top1(linux_run, "a", 0.5), with_top1(linux_run, "b", 0.49)
    (row,) = hold([parse("top1 < 0.99x")], matches_between(a, [b]).matches)
    assert (row.outcome, row.figure) == ("failed", "0.980x")
    assert outcomes(with_top1(linux_run, "a", 0.5), with_top1(linux_run, "b", 0.499), "top1 < 0.99x") == ["kept"]
    assert outcomes(with_top1(linux_run, "a", 0.5), with_top1(linux_run, "b", 0.4), "top1 < 45%") == ["failed"]


def with_top1(run: BenchRun, name: str, top1: float, images: int = 1000) -> BenchRun:
    found = measured(run, name, {"m": [5.0, 5.1]})
    accuracy = Metrics(split="test", top1=top1, top5=1, images=images, total=1000)
    return found.model_copy(update={"results": (found.results[0].model_copy(update={"accuracy": accuracy}),)})


def test_accuracies_on_other_images_are_not_compared(linux_run: BenchRun) -> None:
    a, b = with_top1(linux_run, "a", 0.5), with_top1(linux_run, "b", 0.52, images=200)
    (row,) = hold([parse("top1 < 0.99x")], matches_between(a, [b]).matches)
    assert row.outcome == "not measured"
    assert row.figure == "1.040x on 1000 of 1000 test images and 200 of 1000 test images"


@pytest.mark.parametrize(("level", "outcome"), [(9.0, "not measured"), (5.2, "kept")])
def test_a_single_round_beyond_a_limit_is_no_pass(linux_run: BenchRun, level: float, outcome: str) -> None:
    a, b = (measured(linux_run, name, {"m": [at]}) for name, at in (("a", 5.0), ("b", level)))
    (row,) = hold([parse("p90 > 1.1x")], matches_between(a, [b]).matches)
    assert row.outcome == outcome
    assert row.figure == f"{level / 5:.3f}x of a single round"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (("kept",), "The condition is kept"),
        (("kept", "kept"), "All 2 conditions are kept"),
        (("undecided",), "1 of 1 condition undecided"),
        (("kept", "undecided", "failed"), "1 of 3 conditions failed, 1 undecided"),
        ((), "No case has what the conditions are about"),
        (None, "0 of 1 cases changed"),
    ],
)
def test_the_headline_says_what_became_of_the_conditions(
    linux_run: BenchRun, found: tuple[Any, ...] | None, told: str
) -> None:
    run = measured(linux_run, "a", {"m": [5.0, 5.1, 5.0]})
    comparison = compare(matches_between(run, [run]))
    rows = (
        None
        if found is None
        else [ConditionRow(condition="c", case="m", run="a", figure="1x", outcome=outcome) for outcome in found]
    )
    assert comparison_markdown(comparison, rows).splitlines()[2] == f"**{told}**"


def test_sizes_are_held_to_conditions_without_any_latency(linux_run: BenchRun) -> None:
    run = with_top1(linux_run, "a", 0.5)
    bare = run.model_copy(update={"results": (run.results[0].model_copy(update={"series": (), "rounds": ()}),)})
    matches = matches_between(bare, [bare])
    with pytest.raises(BenchError, match="no case has a latency"):
        compare(matches)
    assert compare(matches, at_least_one=False).rows == ()
    assert [row.outcome for row in hold([parse("size > 1.0x"), parse("top1 < 1x")], matches.matches)] == ["kept"] * 2
