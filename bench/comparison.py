"""Two sides, case by case: the ratio of the median latencies of their rounds, and what it says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from tinyml.confidence import CONFIDENCE, Interval
from tinyml.errors import BenchError
from tinyml.schema import BenchResult, Record

from .estimates import ROUNDS_FOR_INTERVALS, Ratio, StudentRatio, holm, paired_ratio, sample_ratio, welch_ratio
from .matching import Match, Matches
from .measures import ACCURACIES, MEASURES, Measure
from .pairs import pairs_of

REPEATABLE = 0.05
"""A change of less than this is within what repeated runs differ by (MLPerf Mobile's rule)."""
HARMLESS = frozenset({"few_samples", "late_frames", "cut_short", "interrupted", "no_compute_plan"})
"""The flags that leave the median of a latency as good as it is; any other one makes a verdict on it a guess, unless
the rounds account for it."""
IN_THE_SPREAD = frozenset({"unsteady", "rounds_differ", "outliers", "not_warm"})
"""Flags of times that go up and down: the interval of three or more rounds is as wide as they make it."""
ALIKE = frozenset({"machine_busy", "machine_uneven"})
"""Flags of a machine with other work: in the spread too, but only where both sides had it or were measured in turn,
else it looks like a model that changed."""


class WorkRow(Record):
    """The processor time of a prediction, which waiting for a core is no part of: told where the latency cannot be."""

    ratio: float
    """b over a; `low` to `high` is its interval, corrected for the number of cases."""
    low: float
    high: float
    verdict: str
    """As of the latency, flags or not."""


class ComparisonRow(Record):
    """One case in the base and in another; the case is the second side's."""

    case: str
    model: str
    variant: str
    backend: str
    units: str
    run: str
    """What is compared with the base."""
    a_p50_ns: float
    b_p50_ns: float
    ratio: float
    """Of the medians of rounds, b over a; `low` to `high` is its interval, corrected for the number of cases."""
    low: float
    high: float
    a_rounds: int
    b_rounds: int
    pairs: int | None
    """Neighbors in time, one of either side each, from whose ratios it was told; None: the sides were not measured in
    turn (or do not tell when), and each one's rounds were taken on their own."""
    pairs_of: Literal["rounds", "runs"] | None
    """Whether those are rounds, or whole runs made in turn."""
    same_artifact: bool
    flags: tuple[str, ...]
    """What makes either of the two doubtful."""
    verdict: str
    """"faster", "slower", "within 5%" (a sure difference, and so small), "no difference" (the interval includes 1 and
    nothing beyond 5%), "undecided" (it includes 1 and more than that: measure longer), or "no verdict: …" with the
    flags that make one of the two doubtful there."""
    work: WorkRow | None
    """None: one of the two has no rounds with a processor time."""


class Comparison(Record):
    """Runs compared with a base."""

    a: str
    others: tuple[str, ...]
    rows: tuple[ComparisonRow, ...]
    warnings: tuple[str, ...]
    unmatched: tuple[str, ...]
    """Cases without a latency in one of the runs, as sentences."""


def compare(matches: Matches, *, at_least_one: bool = True) -> Comparison:
    """Compares the two sides of each match.

    Together, over all of them, one verdict in twenty comparisons is wrong by chance, not one in each row: Holm's
    correction (see `estimates.holm`). The unit is the pair of rounds where those of both sides were measured in turn,
    else the round; a run of one round falls back on its samples, which says too much on a machine that drifts, and is
    warned of.

    Args:
        matches: The sides.
        at_least_one: Whether it is an error that no two sides share a latency; other figures may be held to conditions.

    Raises:
        BenchError: No two sides share a latency, and one has to.
    """
    p50 = MEASURES["p50"]
    found, unmatched = [], []
    for match in matches.matches:
        sides = ((matches.base, match.a), (match.run, match.b))
        lacking = dict.fromkeys(name for name, results in sides if not values_of(p50, results))
        if lacking:
            unmatched.append(f"not compared: {match.case} has no latency in {' or '.join(lacking)}")
        else:
            found.append((match, told_of(p50, match)))
    if not found and at_least_one:
        both = f"{matches.base} and {' or '.join(matches.others)}"
        raise BenchError(
            f"nothing to compare: no case has a latency on both sides, {both}",
            value="; ".join(unmatched) or "neither has a result",
        )
    warnings = list(matches.warnings)
    if any(len(values_of(p50, results)) < 2 for match, _ in found for results in (match.a, match.b)):
        warnings.append("some cases have one round only: their intervals take samples for independent, and are narrow")
    levels = holm([told.ratio.p for _, told in found])
    works = _works([match for match, _ in found])
    return Comparison(
        a=matches.base,
        others=matches.others,
        rows=tuple(
            _row(match, told, level, work) for (match, told), level, work in zip(found, levels, works, strict=True)
        ),
        warnings=tuple(warnings),
        unmatched=tuple(unmatched),
    )


def values_of(measure: Measure, results: Sequence[BenchResult]) -> list[float]:
    """The figure of every round of `results`."""
    return [value for result in results for value in measure.rounds(result)]


@dataclass(frozen=True, kw_only=True)
class Told:
    """A ratio, and how it was told."""

    ratio: Ratio
    doubt: str | None = None
    """Why it says nothing of the two sides, whatever it is; None: nothing stands against it."""
    pairs: int | None = None
    of: Literal["rounds", "runs"] | None = None


def told_of(measure: Measure, match: Match) -> Told:
    """How much more of `measure` there is in the second side; raises BenchError where a figure is not positive.

    Nothing is known of the spread of a single round, but for the median, whose samples stand in for rounds; nor what an
    accuracy on other images would have been on these.
    """
    x, y = values_of(measure, match.a), values_of(measure, match.b)
    pairs = pairs_of(measure, match.a, match.b) if match.alike and not measure.exact else None
    if pairs is not None:
        return Told(ratio=paired_ratio(pairs.a, pairs.b), pairs=len(pairs.a), of=pairs.of)
    if min(len(x), len(y)) >= 2 and not measure.exact:
        return Told(ratio=welch_ratio(x, y))
    if measure.name == "p50":
        return Told(ratio=sample_ratio(*(_latencies(results) for results in (match.a, match.b))))
    if min(*x, *y) <= 0:
        raise BenchError("no ratio: a figure is not positive", value=min(*x, *y))
    error = 0.0 if measure.exact else math.inf
    doubt = _other_images(measure, match) if measure.exact else "of a single round"
    return Told(ratio=StudentRatio(value=fmean(y) / fmean(x), error=error, freedom=1.0), doubt=doubt)


def _other_images(measure: Measure, match: Match) -> str | None:
    if measure.name not in ACCURACIES:
        return None
    found = [result.accuracy for result in (*match.a, *match.b) if result.accuracy is not None]
    images = dict.fromkeys(f"{of.images} of {of.total} {of.split} images" for of in found)
    return None if len(images) == 1 else f"on {' and '.join(images)}"


def _latencies(results: Sequence[BenchResult]) -> list[int]:
    return [
        sample
        for result in results
        for series in result.series
        if series.name == "latency_ns"
        for sample in series.samples
    ]


def _works(matches: Sequence[Match]) -> list[WorkRow | None]:
    """The processor times of all cases; corrected together, apart from the latencies."""
    measure = MEASURES["processor_time"]
    ratios = [
        told_of(measure, match).ratio
        if min(len(values_of(measure, results)) for results in (match.a, match.b)) >= 2
        else None
        for match in matches
    ]
    levels = iter(holm([ratio.p for ratio in ratios if ratio is not None]))
    return [None if ratio is None else _work(ratio, 1 - next(levels)) for ratio in ratios]


def _work(ratio: Ratio, confidence: float) -> WorkRow:
    interval = ratio.interval(confidence)
    return WorkRow(ratio=ratio.value, low=interval.low, high=interval.high, verdict=verdict_of(ratio, confidence))


def _row(match: Match, told: Told, level: float, work: WorkRow | None) -> ComparisonRow:
    interval = told.ratio.interval(1 - level)
    x, y, p50 = match.a, match.b, MEASURES["p50"]
    case = y[0].case
    return ComparisonRow(
        case=match.case,
        model=case.model,
        variant=case.variant,
        backend=case.backend,
        units=case.requested_units,
        run=match.run,
        a_p50_ns=_middle(p50, x),
        b_p50_ns=_middle(p50, y),
        ratio=told.ratio.value,
        low=interval.low,
        high=interval.high,
        a_rounds=len(values_of(p50, x)),
        b_rounds=len(values_of(p50, y)),
        pairs=told.pairs,
        pairs_of=told.of,
        same_artifact=len({result.case.artifact_sha256 for result in (*x, *y)}) == 1,
        flags=tuple(dict.fromkeys(flag for result in (*x, *y) for flag in result.flags)),
        verdict=_doubts(match, told) or verdict_of(told.ratio, 1 - level),
        work=work,
    )


def _doubts(match: Match, told: Told) -> str | None:
    """Why there is no verdict; None: nothing speaks against one."""
    first, second = ({flag for result in results for flag in result.flags} - HARMLESS for results in (match.a, match.b))
    p50 = MEASURES["p50"]
    if told.pairs is not None:  # what else the machine did in turn hit either side by chance, and is in the spread
        first, second = (flags - IN_THE_SPREAD - ALIKE for flags in (first, second))
    elif min(len(values_of(p50, results)) for results in (match.a, match.b)) >= ROUNDS_FOR_INTERVALS:
        excused = IN_THE_SPREAD | (ALIKE & first & second)
        first, second = first - excused, second - excused
    doubts = [
        f"{' and '.join(sorted(flags))} in the {which} run"
        for which, flags in (("first", first), ("second", second))
        if flags
    ]
    return f"no verdict: {', '.join(doubts)}" if doubts else None


def verdict_of(ratio: Ratio, confidence: float = CONFIDENCE) -> str:
    """What a ratio of times says at a confidence."""
    return verdict_between(ratio.value, ratio.interval(confidence))


def verdict_between(ratio: float, interval: Interval) -> str:
    """What a ratio of times and its interval say."""
    if interval.low <= 1 <= interval.high:
        surely_small = interval.low >= 1 / (1 + REPEATABLE) and interval.high <= 1 + REPEATABLE
        return "no difference" if surely_small else "undecided"
    if abs(ratio - 1) < REPEATABLE:
        return "within 5%"
    return "faster" if ratio < 1 else "slower"


def _middle(measure: Measure, results: Sequence[BenchResult]) -> float:
    found = [value for result in results if (value := measure.told(result)) is not None]
    return sum(found) / len(found)
