"""Rounds in turn are found by when they began, and only those are paired."""

from typing import Any

import numpy as np
import pytest

from tinyml.bench.comparison import compare
from tinyml.bench.estimates import welch_ratio
from tinyml.bench.matching import Runs, matches_within
from tinyml.bench.measures import MEASURES
from tinyml.bench.pairs import pairs_of
from tinyml.bench.verdicts import comparison_cells
from tinyml.schema import BenchRun

from .test_comparison import compare_runs, flagged, measured

P50 = MEASURES["p50"]
SECOND = 10**9


def timed(run: BenchRun, **began: Any) -> BenchRun:
    """`run` with the seconds at which the rounds of each model began; None: not told."""
    results = []
    for result in run.results:
        moments = [None if second is None else int(second * SECOND) for second in began[result.case.model]]
        rounds = tuple(
            one.model_copy(update={"began_ns": moment}) for one, moment in zip(result.rounds, moments, strict=True)
        )
        results.append(result.model_copy(update={"rounds": rounds}))
    return run.model_copy(update={"results": tuple(results)})


def two(run: BenchRun, a: list[Any], b: list[Any]) -> Any:
    """The results of two cases whose rounds began then, and take 1, 2, 3 … and 10, 20, 30 … ms."""
    levels = {"a": [1.0 + i for i in range(len(a))], "b": [10.0 * (1 + i) for i in range(len(b))]}
    x, y = timed(measured(run, "r", levels), a=a, b=b).results
    return pairs_of(P50, [x], [y])


@pytest.mark.parametrize(
    ("a", "b", "pairs"),
    [
        ([0, 3, 5], [1, 2, 6], 3),  # each round from another case on, as the bench does
        ([0, 2, 4], [1, 3, 5], 3),
        ([0, 2, 4, 6], [1, 3, 5], 3),  # the last one has nobody
        ([0, 0, 0], [0, 0, 0], None),  # all at once is no order
        ([0, 1, 2], [3, 4, 5], None),  # one after the other
        ([0, 3, 6, 7], [1, 4], None),
        ([0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11], None),  # blocks
        ([0, 2], [1, 3], None),  # too few
        ([0, 2, None], [1, 3, 5], None),  # an older file
    ],
)
def test_neighbors_are_pairs_only_where_the_sides_come_in_turn(
    linux_run: BenchRun, a: Any, b: Any, pairs: int | None
) -> None:
    found = two(linux_run, a, b)
    assert (None if found is None else len(found.a)) == pairs
    if found is not None:
        assert found.of == "rounds"
        assert list(found.b) == pytest.approx([10 * value for value in found.a], rel=1e-3)


def test_whole_runs_made_in_turn_are_pairs(linux_run: BenchRun) -> None:
    def side(name: str, first: int, level: float) -> Runs:
        return Runs(
            tuple(
                timed(
                    measured(linux_run, f"{name}{i}", {"m": [level * slow] * 4}),
                    m=[20 * i + first + j for j in range(4)],
                )
                for i, slow in enumerate((1.0, 1.5, 0.9, 2.0))
            )
        )

    (row,) = compare_runs(side("a", 0, 5), [side("b", 10, 5.5)]).rows
    assert (row.pairs, row.pairs_of, row.verdict) == (4, "runs", "slower")
    assert row.low == pytest.approx(1.1, rel=1e-3)
    assert comparison_cells(row)[9] == "4 pairs of runs"
    (row,) = compare_runs(side("a", 0, 5), [side("b", 2, 5.5)]).rows  # they overlap in time
    assert row.pairs is None
    assert comparison_cells(row)[9] == "16 and 16"


def bursts(run: BenchRun, count: int, factor: float, seed: int) -> BenchRun:
    """Two cases in turn on a machine that is half as fast for stretches of rounds."""
    generator = np.random.default_rng(seed)
    slow = np.repeat(generator.choice([1.0, 1.3, 2.0], count), 5)[:count]
    a, b = slow * np.exp(generator.normal(0, 0.01, (2, count))) * 5
    made = measured(run, "r", {"a": list(a), "b": list(b * factor)})
    order = [(0, 1) if i % 2 == 0 else (1, 0) for i in range(count)]
    return timed(made, a=[2 * i + x for i, (x, _) in enumerate(order)], b=[2 * i + x for i, (_, x) in enumerate(order)])


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "no difference"), (1.1, "slower"), (0.9, "faster")])
def test_what_slows_neighbors_alike_hides_nothing(linux_run: BenchRun, factor: float, verdict: str) -> None:
    run = bursts(linux_run, 24, factor, seed=1)
    (row,) = compare(matches_within(run, "a")).rows
    assert (row.verdict, row.pairs, row.pairs_of) == (verdict, 24, "rounds")
    assert comparison_cells(row)[9] == "24 pairs"
    # Without the moments the same rounds say nothing.
    silent = timed(run, a=[None] * 24, b=[None] * 24)
    (row,) = compare(matches_within(silent, "a")).rows
    assert (row.verdict, row.pairs) == ("undecided", None)
    x, y = (P50.rounds(result) for result in silent.results)
    assert row.ratio == pytest.approx(welch_ratio(x, y).value)


def test_many_cases_are_corrected_by_pairs_too(linux_run: BenchRun) -> None:
    names = [f"m{i}" for i in range(6)]
    wrong = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        levels = {name: list(5 * np.exp(generator.normal(0, 0.03, 16))) for name in ("base", *names)}
        began = {name: [20 * i + n for i in range(16)] for n, name in enumerate(levels)}
        rows = compare(matches_within(timed(measured(linux_run, "r", levels), **began), "base")).rows
        assert {row.pairs for row in rows} == {16}
        wrong += any(row.verdict not in ("no difference", "undecided") for row in rows)
    assert wrong <= 4  # of twenty at 5%: more are seen once in 380 tries


def test_flags_of_a_machine_that_both_sides_took_turns_on_are_no_doubt(linux_run: BenchRun) -> None:
    run = bursts(linux_run, 12, 1.1, seed=2)
    a, b = run.results
    for flags, verdict in ((("machine_busy", "machine_uneven"), "slower"), (("throttled",), "no verdict: throttled")):
        (doubted,) = flagged(run.model_copy(update={"results": (b,)}), *flags).results
        (row,) = compare(matches_within(run.model_copy(update={"results": (a, doubted)}), "a")).rows
        assert row.verdict.startswith(verdict)


def test_machines_that_differ_are_never_paired(linux_run: BenchRun) -> None:
    here = timed(measured(linux_run, "a", {"m": [5.0, 5.1, 4.9]}), m=[0, 2, 4])
    there = timed(measured(linux_run, "b", {"m": [5.0, 5.1, 4.9]}), m=[1, 3, 5])
    assert compare_runs(here, [there]).rows[0].pairs == 3
    elsewhere = there.model_copy(update={"environment": there.environment.model_copy(update={"machine": "x"})})
    assert compare_runs(here, [elsewhere], force=True).rows[0].pairs is None
