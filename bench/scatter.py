"""The points of accuracy over size and over latency, for the plots and the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyml.confidence import top1_interval

from .row import Row


@dataclass(frozen=True, kw_only=True)
class Point:
    """One result: what it costs and what it gives."""

    label: str
    cost: float
    accuracy: float
    low: float
    """To `high`: the accuracy's 95% interval."""
    high: float
    best: bool
    """Nothing cheaper is as accurate, nothing as cheap is more accurate."""


def by_size(rows: list[Row]) -> list[Point]:
    """Accuracy in percent over artifact size in millions of bytes."""
    return _points([(row, row.result.case.artifact_bytes / 1e6) for row in rows])


def by_latency(rows: list[Row]) -> list[Point]:
    """Accuracy in percent over median latency in milliseconds."""
    return _points([(row, row.latency_ns.p50 / 1e6) for row in rows if row.latency_ns])


def _points(costs: list[tuple[Row, float]]) -> list[Point]:
    known = [
        (row, cost, row.result.accuracy.top1 * 100, top1_interval(row.result.accuracy))
        for row, cost in costs
        if row.result.accuracy
    ]
    return [
        Point(
            label=row.name,
            cost=cost,
            accuracy=accuracy,
            low=sure.low * 100,
            high=sure.high * 100,
            best=not any(
                other <= cost and top >= accuracy and (other, top) != (cost, accuracy) for _, other, top, _ in known
            ),
        )
        for row, cost, accuracy, sure in known
    ]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that enclose `low` to `high`, roughly `about` of them."""
    span = high - low or abs(high) or 1.0
    raw = span / about
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(magnitude * m for m in (1, 2, 5, 10) if magnitude * m >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        last += 1
    return [round(i * step, 10) for i in range(first, last + 1)]
