"""Two runs side by side: the ratio of the median latencies of each case that both measured."""

from __future__ import annotations

from tinyml.errors import BenchError
from tinyml.schema import BenchResult, BenchRun, Record

from .stats import median_ratio, percentile

REPEATABLE = 0.05
HARMLESS = frozenset({"few_samples", "late_frames"})
"""The flags that leave the median of a latency as good as it is; any other one makes a verdict on it a guess."""
"""A change of less than this is within what repeated runs differ by (MLPerf Mobile's rule)."""


class ComparisonRow(Record):
    """One case in both runs."""

    model: str
    variant: str
    backend: str
    units: str
    a_p50_ns: float
    b_p50_ns: float
    ratio: float
    """Of the medians, b over a; `low` to `high` is its 95% interval."""
    low: float
    high: float
    same_artifact: bool
    verdict: str
    """"faster", "slower", "no difference" (the interval includes 1), "within 5%", or "no verdict: …" with the flags
    that make one of the two runs doubtful there."""


class Comparison(Record):
    """Two runs compared."""

    a: str
    b: str
    rows: tuple[ComparisonRow, ...]
    warnings: tuple[str, ...]
    unmatched: tuple[str, ...]
    """Cases without a latency in one of the runs, as sentences."""


def compare_runs(a: BenchRun, b: BenchRun, *, force: bool = False) -> Comparison:
    """Compares `b` with `a`.

    Raises BenchError if their environments or thread counts differ, unless `force`, and if they share no latency.
    """
    differences = _differences(a, b)
    if differences and not force:
        raise BenchError(
            "these runs are not comparable", value="; ".join(differences), hint="compare them all the same: --force"
        )
    warnings = [f"the environments differ: {difference}" for difference in differences]
    warnings += [f"{run.id} is quick: a first look" for run in (a, b) if run.quick]
    first, second = _measured(a), _measured(b)
    names = list(dict.fromkeys((*(_key(r) for r in a.results), *(_key(r) for r in b.results))))
    unmatched = tuple(
        f"not compared: {' '.join(key)} has no latency in {' or '.join(lacking)}"
        for key in names
        if (lacking := [run.id for run, found in ((a, first), (b, second)) if key not in found])
    )
    both = [key for key in names if key in first and key in second]
    if not both:
        raise BenchError(
            f"nothing to compare: no case has a latency in both {a.id} and {b.id}",
            value="; ".join(unmatched) or "neither has a result",
        )
    return Comparison(
        a=a.id,
        b=b.id,
        rows=tuple(_row(first[key], second[key]) for key in both),
        warnings=tuple(warnings),
        unmatched=unmatched,
    )


def _row(a: BenchResult, b: BenchResult) -> ComparisonRow:
    x, y = _latency(a), _latency(b)
    ratio, interval = median_ratio(x, y)
    doubts = [
        f"{' and '.join(flags)} in the {which} run"
        for which, result in (("first", a), ("second", b))
        if (flags := sorted(set(result.flags) - HARMLESS))
    ]
    if doubts:
        verdict = f"no verdict: {', '.join(doubts)}"
    elif interval.low <= 1 <= interval.high:
        verdict = "no difference"
    elif abs(ratio - 1) < REPEATABLE:
        verdict = "within 5%"
    else:
        verdict = "faster" if ratio < 1 else "slower"
    return ComparisonRow(
        model=a.case.model,
        variant=a.case.variant,
        backend=a.case.backend,
        units=a.case.requested_units,
        a_p50_ns=percentile(x, 50),
        b_p50_ns=percentile(y, 50),
        ratio=ratio,
        low=interval.low,
        high=interval.high,
        same_artifact=a.case.artifact_sha256 == b.case.artifact_sha256,
        verdict=verdict,
    )


def _differences(a: BenchRun, b: BenchRun) -> list[str]:
    ours, theirs = (run.environment.model_dump() for run in (a, b))
    for environment in (ours, theirs):
        environment |= {f"package {name}": version for name, version in environment.pop("packages").items()}
    differences = [
        f"{name} {ours.get(name)} and {theirs.get(name)}"
        for name in dict.fromkeys((*ours, *theirs))
        if ours.get(name) != theirs.get(name)
    ]
    threads = [sorted({str(result.case.threads) for result in run.results if result.series}) for run in (a, b)]
    if threads[0] and threads[1] and threads[0] != threads[1]:
        differences.append(f"threads {', '.join(threads[0])} and {', '.join(threads[1])}")
    return differences


def _measured(run: BenchRun) -> dict[tuple[str, ...], BenchResult]:
    return {_key(result): result for result in run.results if result.status == "ok" and _latency(result)}


def _key(result: BenchResult) -> tuple[str, ...]:
    case = result.case
    return (case.model, case.variant, case.backend, case.requested_units, f"batch {case.batch}")


def _latency(result: BenchResult) -> tuple[int, ...]:
    return next((series.samples for series in result.series if series.name == "latency_ns"), ())
