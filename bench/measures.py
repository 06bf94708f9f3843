"""What a case can be compared and limited by: its latencies, loads, memory, size, energy and accuracy."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tinyml.confidence import Interval
from tinyml.schema import BenchResult, Metrics

from .estimates import percentile_estimate
from .stats import percentile
from .validity import by_round

Values = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure of a case."""

    name: str
    better: Literal["lower", "higher"]
    unit: str
    """Of the limits: "ms", "MB", "mJ"; empty for a share."""
    scale: float
    """So many of the record's units make one."""
    rounds: Callable[[BenchResult], Values]
    """The figure of each round, in the record's units; a single one where it does not change; empty: not measured."""
    told: Callable[[BenchResult], float | None]
    """The figure as the tables tell it."""
    exact: bool = False
    """Whether it is the same in every round (a size, an accuracy), so that any difference is one."""

    def interval(self, result: BenchResult) -> Interval | None:
        """The 95% interval of a percentile; None for everything else."""
        if self.name not in PERCENTILES or not (samples := _samples(result, "latency_ns")):
            return None
        return percentile_estimate(by_round(samples, result.rounds), PERCENTILES[self.name]).interval


PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99}


def _samples(result: BenchResult, name: str) -> tuple[int, ...]:
    return next((series.samples for series in result.series if series.name == name), ())


def _percentile(name: str) -> Measure:
    q = PERCENTILES[name]

    def rounds(result: BenchResult) -> Values:
        samples = _samples(result, "latency_ns")
        return tuple(percentile(share, q) for share in by_round(samples, result.rounds)) if samples else ()

    def told(result: BenchResult) -> float | None:
        samples = _samples(result, "latency_ns")
        return percentile(samples, q) if samples else None

    return Measure(name=name, better="lower", unit="ms", scale=1e6, rounds=rounds, told=told)


def _series(name: str, series: str, unit: str, scale: float, *, largest: bool = False) -> Measure:
    def rounds(result: BenchResult) -> Values:
        return tuple(float(sample) for sample in _samples(result, series))

    def told(result: BenchResult) -> float | None:
        samples = _samples(result, series)
        return float(max(samples) if largest else statistics.median(samples)) if samples else None

    return Measure(name=name, better="lower", unit=unit, scale=scale, rounds=rounds, told=told)


def _processor_time() -> Measure:
    """Of a prediction, all threads together: what a busy machine changes least, for waiting is no part of it."""

    def rounds(result: BenchResult) -> Values:
        return tuple(one.processor_ns / one.samples for one in result.rounds if one.processor_ns)

    def told(result: BenchResult) -> float | None:
        found = rounds(result)
        return statistics.median(found) if found else None

    return Measure(name="processor_time", better="lower", unit="ms", scale=1e6, rounds=rounds, told=told)


def _size() -> Measure:
    def told(result: BenchResult) -> float:
        return float(result.case.artifact_bytes)

    return Measure(
        name="size", better="lower", unit="MB", scale=1e6, rounds=lambda r: (told(r),), told=told, exact=True
    )


def _accuracy(name: str, of: Callable[[Metrics], float | None]) -> Measure:
    def told(result: BenchResult) -> float | None:
        return None if result.accuracy is None else of(result.accuracy)

    def rounds(result: BenchResult) -> Values:
        value = told(result)
        return () if value is None else (value,)

    return Measure(name=name, better="higher", unit="", scale=1.0, rounds=rounds, told=told, exact=True)


ACCURACIES: dict[str, Callable[[Metrics], float | None]] = {
    "top1": lambda metrics: metrics.top1,
    "top5": lambda metrics: metrics.top5,
}
"""Which are of certain images, and say nothing beside those of others."""

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        *(_percentile(name) for name in PERCENTILES),
        _processor_time(),
        _series("compile", "compile_ns", "ms", 1e6),
        _series("load", "load_ns", "ms", 1e6),
        _series("cached_load", "cached_load_ns", "ms", 1e6),
        _series("first_prediction", "first_prediction_ns", "ms", 1e6),
        _series("peak_memory", "peak_memory_bytes", "MB", 1e6, largest=True),
        _series("energy", "energy_uj", "mJ", 1e3),
        _size(),
        *(_accuracy(name, of) for name, of in ACCURACIES.items()),
    )
}
