"""Runs side by side: the ratio of the median latencies of each case that the base and another measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyml.confidence import CONFIDENCE, Interval
from tinyml.errors import BenchError
from tinyml.schema import BenchResult, BenchRun, Record

from .estimates import ROUNDS_FOR_INTERVALS, Ratio, holm, sample_ratio, welch_ratio
from .measures import MEASURES, Measure
from .row import case_words

REPEATABLE = 0.05
"""A change of less than this is within what repeated runs differ by (MLPerf Mobile's rule)."""
HARMLESS = frozenset({"few_samples", "late_frames", "cut_short", "interrupted"})
"""The flags that leave the median of a latency as good as it is; any other one makes a verdict on it a guess, unless
the rounds account for it."""
IN_THE_SPREAD = frozenset({"unsteady", "rounds_differ", "outliers", "not_warm"})
"""Flags of times that go up and down: the interval of three or more rounds is as wide as they make it."""
ALIKE = frozenset({"machine_busy", "machine_uneven"})
"""Flags of a machine with other work: in the spread too, but only where both sides had it, else it looks like a model
that changed."""


class WorkRow(Record):
    """The processor time of a prediction, which waiting for a core is no part of: told where the latency cannot be."""

    ratio: float
    """b over a; `low` to `high` is its interval, corrected for the number of cases."""
    low: float
    high: float
    verdict: str
    """As of the latency, flags or not."""


class ComparisonRow(Record):
    """One case in the base and in another."""

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
    """Of the medians, b over a; `low` to `high` is its interval, corrected for the number of cases."""
    low: float
    high: float
    a_rounds: int
    b_rounds: int
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


@dataclass(frozen=True)
class Runs:
    """Runs taken as one: their rounds are pooled, which is how a difference too small for one run is found."""

    runs: tuple[BenchRun, ...]

    @property
    def name(self) -> str:
        """The ids."""
        return ",".join(run.id for run in self.runs)

    @property
    def cases(self) -> dict[str, tuple[BenchResult, ...]]:
        """The results that are ok, by case."""
        found: dict[str, tuple[BenchResult, ...]] = {}
        for run in self.runs:
            for result in run.results:
                if result.status == "ok":
                    found[case_name(result)] = (*found.get(case_name(result), ()), result)
        return found


def compare_runs(a: Runs | BenchRun, others: Iterable[Runs | BenchRun], *, force: bool = False) -> Comparison:
    """Compares each of `others` with `a`, case by case.

    Together, over all cases and all others, one verdict in twenty comparisons is wrong by chance, not one in each row:
    Holm's correction (see `estimates.holm`). The unit is the round; a run of one round falls back on its samples,
    which says too much on a machine that drifts, and is warned of.

    Raises:
        BenchError: Their environments differ, unless `force`, or they share no latency.
    """
    base, rest = as_runs(a), [as_runs(other) for other in others]
    differences = [text for runs in (base, *rest) for run in runs.runs for text in _differences(base.runs[0], run)]
    if differences and not force:
        raise BenchError(
            "these runs are not comparable",
            value="; ".join(dict.fromkeys(differences)),
            hint="compare them all the same: --force",
        )
    warnings = [f"the environments differ: {difference}" for difference in dict.fromkeys(differences)]
    quick = dict.fromkeys(run.id for runs in (base, *rest) for run in runs.runs if run.quick)
    warnings += [f"{name} is quick: a first look" for name in quick]
    p50 = MEASURES["p50"]
    pairs, unmatched = [], []
    for other in rest:
        for name, x, y in pairs_of(base, other):
            sides = ((base, x), (other, y))
            lacking = dict.fromkeys(runs.name for runs, results in sides if not values_of(p50, results))
            if lacking:
                unmatched.append(f"not compared: {name} has no latency in {' or '.join(lacking)}")
            else:
                pairs.append((name, other, x, y, ratio_of(p50, x, y)))
    if not pairs:
        raise BenchError(
            f"nothing to compare: no case has a latency in both {base.name} and {' or '.join(r.name for r in rest)}",
            value="; ".join(unmatched) or "neither has a result",
        )
    if any(len(values_of(p50, results)) < 2 for _, _, x, y, _ in pairs for results in (x, y)):
        warnings.append("some cases have one round only: their intervals take samples for independent, and are narrow")
    levels = holm([pair[4].p for pair in pairs])
    works = _works([(x, y) for _, _, x, y, _ in pairs])
    return Comparison(
        a=base.name,
        others=tuple(runs.name for runs in rest),
        rows=tuple(_row(*pair, level, work) for pair, level, work in zip(pairs, levels, works, strict=True)),
        warnings=tuple(warnings),
        unmatched=tuple(unmatched),
    )


def as_runs(runs: Runs | BenchRun) -> Runs:
    """A run as one of one."""
    return Runs((runs,)) if isinstance(runs, BenchRun) else runs


def pairs_of(base: Runs, other: Runs) -> list[tuple[str, tuple[BenchResult, ...], tuple[BenchResult, ...]]]:
    """Every case of either, with its results in both; an empty tuple where it was not measured."""
    x, y = base.cases, other.cases
    names = dict.fromkeys(case_name(result) for runs in (base, other) for run in runs.runs for result in run.results)
    return [(name, x.get(name, ()), y.get(name, ())) for name in names]


def case_name(result: BenchResult) -> str:
    """The case in words, with everything that makes it another one."""
    threads = f", {result.case.threads} threads" if result.case.threads is not None else ""
    return f"{case_words(result.case)}{threads}"


def values_of(measure: Measure, results: Sequence[BenchResult]) -> list[float]:
    """The figure of every round of `results`."""
    return [value for result in results for value in measure.rounds(result)]


def ratio_of(measure: Measure, a: Sequence[BenchResult], b: Sequence[BenchResult]) -> Ratio:
    """How much more of `measure` there is in `b`; raises BenchError where a figure is not positive."""
    x, y = values_of(measure, a), values_of(measure, b)
    if min(len(x), len(y)) >= 2 and not measure.exact:
        return welch_ratio(x, y)
    if measure.name == "p50":
        return sample_ratio(*(_latencies(results) for results in (a, b)))
    if min(*x, *y) <= 0:
        raise BenchError("no ratio: a figure is not positive", value=min(*x, *y))
    return Ratio(value=y[0] / x[0], error=0.0 if measure.exact else float("inf"), freedom=1.0)


def _latencies(results: Sequence[BenchResult]) -> list[int]:
    return [
        sample
        for result in results
        for series in result.series
        if series.name == "latency_ns"
        for sample in series.samples
    ]


def _works(pairs: Sequence[tuple[Sequence[BenchResult], Sequence[BenchResult]]]) -> list[WorkRow | None]:
    """The processor times of all cases; corrected together, apart from the latencies."""
    measure = MEASURES["processor_time"]
    ratios = [
        ratio_of(measure, a, b) if min(len(values_of(measure, results)) for results in (a, b)) >= 2 else None
        for a, b in pairs
    ]
    levels = iter(holm([ratio.p for ratio in ratios if ratio is not None]))
    return [None if ratio is None else _work(ratio, 1 - next(levels)) for ratio in ratios]


def _work(ratio: Ratio, confidence: float) -> WorkRow:
    interval = ratio.interval(confidence)
    return WorkRow(ratio=ratio.value, low=interval.low, high=interval.high, verdict=verdict_of(ratio, confidence))


def _row(
    name: str,
    other: Runs,
    x: tuple[BenchResult, ...],
    y: tuple[BenchResult, ...],
    ratio: Ratio,
    level: float,
    work: WorkRow | None,
) -> ComparisonRow:
    interval = ratio.interval(1 - level)
    case, p50 = x[0].case, MEASURES["p50"]
    return ComparisonRow(
        case=name,
        model=case.model,
        variant=case.variant,
        backend=case.backend,
        units=case.requested_units,
        run=other.name,
        a_p50_ns=_middle(p50, x),
        b_p50_ns=_middle(p50, y),
        ratio=ratio.value,
        low=interval.low,
        high=interval.high,
        a_rounds=len(values_of(p50, x)),
        b_rounds=len(values_of(p50, y)),
        same_artifact=len({result.case.artifact_sha256 for result in (*x, *y)}) == 1,
        flags=tuple(dict.fromkeys(flag for result in (*x, *y) for flag in result.flags)),
        verdict=_doubts(x, y) or verdict_of(ratio, 1 - level),
        work=work,
    )


def _doubts(a: Sequence[BenchResult], b: Sequence[BenchResult]) -> str | None:
    """Why there is no verdict; None: nothing speaks against one."""
    first, second = ({flag for result in results for flag in result.flags} - HARMLESS for results in (a, b))
    p50 = MEASURES["p50"]
    if min(len(values_of(p50, results)) for results in (a, b)) >= ROUNDS_FOR_INTERVALS:
        excused = IN_THE_SPREAD | (ALIKE & first & second)
        first, second = first - excused, second - excused
    told = [
        f"{' and '.join(sorted(flags))} in the {which} run"
        for which, flags in (("first", first), ("second", second))
        if flags
    ]
    return f"no verdict: {', '.join(told)}" if told else None


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


def _differences(a: BenchRun, b: BenchRun) -> list[str]:
    ours, theirs = (run.environment.model_dump() for run in (a, b))
    for environment in (ours, theirs):
        environment |= {f"package {name}": version for name, version in environment.pop("packages").items()}
    return [
        f"{name} {ours.get(name)} and {theirs.get(name)}"
        for name in dict.fromkeys((*ours, *theirs))
        # What a run does not tell, as those of older versions do not, is no difference.
        if ours.get(name) != theirs.get(name) and not (name in _OPTIONAL and None in (ours[name], theirs[name]))
    ]


_OPTIONAL = ("thermal_state", "low_power_mode", "governor", "on_battery")
