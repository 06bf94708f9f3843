"""`accuracy.png` and `latency.png`, for the Markdown report."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml.log_axis import log_x_axis
from tinyml.schema import BenchRun
from tinyml.store import atomic_file

from ..report import reports
from ..row import Row, rows
from ..scatter import Point, by_latency, by_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 10
"""The largest cost over the smallest, from which on their axis is logarithmic."""

_INK, _ACCENT, _MUTED = "#1f2933", "#0b6e99", "#8a97a6"


def write(run: BenchRun, folder: Path) -> None:
    """Writes both pictures, that of accuracy where some is known; none for a run without a measured latency."""
    found = rows(run)
    if any(row.latency_ns for row in found):
        # A line below the axes for each point of size, which are all that have one of latency and more.
        if points := by_size(found):
            tall = 3.8 + 0.16 * len(points)
            _save(folder / "accuracy.png", 10, tall, lambda figure: _accuracy(figure, found, run))
        height = 1.6 + 0.42 * sum(row.latency_ns is not None for row in found)
        _save(folder / "latency.png", 10, height, lambda figure: _latency(figure, found, run))


def _save(path: Path, width: float, height: float, draw: Callable[[Figure], None]) -> None:
    # A Figure of its own instead of pyplot: no global state, no display.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    draw(figure)
    with atomic_file(path) as temporary:
        figure.savefig(temporary)


def _accuracy(figure: Figure, found: list[Row], run: BenchRun) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    _scatter(left, by_size(found), "artifact size, MB")
    _scatter(right, by_latency(found), "median latency, ms")
    left.set_ylabel("top-1 accuracy, %, and its 95% interval")
    figure.suptitle(f"Accuracy{_mark(run)}", color=_INK)


def _scatter(axes: Axes, points: list[Point], label: str) -> None:
    points = sorted(points, key=_place)
    for point in points:
        axes.plot([point.cost] * 2, [point.low, point.high], color=_MUTED, linewidth=1, zorder=2)
        axes.scatter(point.cost, point.accuracy, color=_ACCENT if point.best else _MUTED, zorder=3)
    # One file on two backends is one place, whose numbers would lie on each other.
    for i, (place, found) in enumerate(groupby(enumerate(points, 1), key=lambda numbered: _place(numbered[1]))):
        told = ", ".join(str(number) for number, _ in found)
        axes.annotate(told, place, xytext=(5, 5 if i % 2 else -12), textcoords="offset points")
    names = "\n".join(f"{number}  {point.label}" for number, point in enumerate(points, 1))
    # A name may hold dollar signs, between which matplotlib would read mathematics.
    axes.set_xlabel(f"{label}\n\n{names or 'nothing measured'}", loc="left", fontsize=8, parse_math=False)
    axes.margins(0.16)
    costs = [point.cost for point in points]
    if costs and min(costs) > 0 and max(costs) > WIDE * min(costs):
        # Beside a large network's, those of small ones would be one place.
        log_x_axis(axes)
    else:
        axes.set_xlim(left=0)  # after the margins, which it would end
    axes.grid(alpha=0.3)


def _place(point: Point) -> tuple[float, float]:
    return point.cost, point.accuracy


def _latency(figure: Figure, found: list[Row], run: BenchRun) -> None:
    axes = figure.subplots()
    measured = [(row.name, row.latency_ns) for row in reversed(found) if row.latency_ns]
    for place, (_, s) in enumerate(measured):
        axes.plot([s.p50 / 1e6, s.p99 / 1e6], [place, place], color=_MUTED, linewidth=2, zorder=1)
        for value, style, color in ((s.p50, "o", _ACCENT), (s.p90, "|", _INK), (s.p99, ">", _MUTED)):
            axes.plot(value / 1e6, place, style, color=color, markersize=8, zorder=2)
    axes.set_yticks(range(len(measured)), [name for name, _ in measured], parse_math=False)
    axes.set_ylim(-0.6, len(measured) - 0.4)
    axes.set_xlim(left=0)
    axes.set_xlabel("ms for one prediction:  ● p50   | p90   ▶ p99")
    axes.set_title(f"Latency{_mark(run)}", color=_INK)
    axes.grid(axis="x", alpha=0.3)


def _mark(run: BenchRun) -> str:
    return " (quick: a first look)" if run.quick else ""


reports.add("plot", write)
