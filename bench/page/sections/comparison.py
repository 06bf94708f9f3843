"""The charts and the table: every figure as a point and a row, which the page links to each other."""

from __future__ import annotations

from typing import Any

from tinyml.confidence import ABSENT
from tinyml.schema import Metrics

from ...row import Row
from ...table import interval, megabytes, milliseconds
from ..figures import Accuracy, Figure, machine_name
from ..project import Project
from ..section import Content, sections

COLUMNS: tuple[tuple[str, str, bool, bool], ...] = (
    ("model", "model", False, True),
    ("variant", "variant", False, True),
    ("format", "format", False, False),
    ("backend", "backend", False, True),
    ("units", "units", False, True),
    ("machine", "machine", False, False),
    ("measured", "measured", False, False),
    ("status", "status", False, True),
    ("bytes", "size MB", True, True),
    ("top1", "top-1 %", True, True),
    ("top5", "top-5 %", True, False),
    ("images", "images", True, False),
    ("load", "load ms", True, True),
    ("first", "first ms", True, False),
    ("p50", "p50 ms", True, True),
    ("p90", "p90 ms", True, True),
    ("p95", "p95 ms", True, False),
    ("p99", "p99 ms", True, False),
    ("peak", "peak MB", True, True),
)
"""Key, heading, whether it is a figure, whether it is shown at first."""


@sections.register("comparison")
def comparison(_: Project, figures: list[Figure]) -> Content | None:
    """One row and one point a figure."""
    if not figures:
        return None
    lines = [_line(figure) for figure in figures]
    return Content(
        place=20,
        title="Accuracy against cost",
        template="comparison.html",
        values={
            "columns": COLUMNS,
            "absent": ABSENT,
            "lines": lines,
            "points": [_point(figure, line) for figure, line in zip(figures, lines, strict=True)],
            "filters": {name: sorted({str(line["texts"][name]) for line in lines}) for name in FILTERS},
        },
    )


FILTERS = ("model", "format", "variant", "backend", "units", "machine")


def _line(figure: Figure) -> dict[str, Any]:
    numbers = _numbers(figure)
    row = figure.row
    texts = {
        "model": figure.model,
        "variant": figure.variant,
        "format": figure.format,
        "backend": row.result.case.backend if row else ABSENT,
        "units": row.result.case.requested_units if row else ABSENT,
        "machine": machine_name(figure.run.environment) if figure.run else ABSENT,
        "measured": figure.run.provenance.created_at[:10] if figure.run else ABSENT,
        "status": _status(figure),
        "bytes": megabytes(figure.bytes),
        "top1": _with_interval(figure.accuracy.metrics) if figure.accuracy else ABSENT,
        "top5": _percent(numbers["top5"]),
        "images": f"{figure.accuracy.metrics.images:,} {figure.accuracy.metrics.split}" if figure.accuracy else ABSENT,
        **{name: milliseconds(numbers[name]) for name in ("load", "first", "p50", "p90", "p95", "p99")},
        "peak": megabytes(row.peak_memory_bytes if row else None),
    }
    return {"key": figure.key, "texts": texts, "numbers": numbers, "ok": row is not None and row.result.status == "ok"}


def _point(figure: Figure, line: dict[str, Any]) -> dict[str, Any]:
    """What the script needs of a figure, beside its line in the table."""
    return {
        "key": line["key"],
        "name": figure.row.name if figure.row else f"{figure.model} {figure.variant}",
        **{name: line["texts"][name] for name in FILTERS},
        **line["numbers"],
        "interval": _interval(figure.row),
        "origin": _origin(figure),
    }


def _numbers(figure: Figure) -> dict[str, float | None]:
    row, accuracy = figure.row, figure.accuracy
    latency = row.latency_ns if row else None
    return {
        "bytes": figure.bytes,
        "top1": accuracy.metrics.top1 if accuracy else None,
        "top5": accuracy.metrics.top5 if accuracy else None,
        "images": accuracy.metrics.images if accuracy else None,
        "load": row.load_ns if row else None,
        "first": row.first_prediction_ns if row else None,
        "p50": latency.p50 if latency else None,
        "p90": latency.p90 if latency else None,
        "p95": latency.p95 if latency else None,
        "p99": latency.p99 if latency else None,
        "peak": row.peak_memory_bytes if row else None,
    }


def _status(figure: Figure) -> str:
    if figure.row is None or figure.run is None:
        return "not run: in no bench run"
    return f"{figure.row.verdict}; quick" if figure.run.quick else figure.row.verdict


def _interval(row: Row | None) -> list[float] | None:
    interval = row.percentiles[50].interval if row is not None and row.percentiles else None
    return None if interval is None else [interval.low, interval.high]


def _origin(figure: Figure) -> list[list[str]]:
    """Where the figures of a row come from, as names and values."""
    found = [["file", f"{figure.variant}, sha256 {figure.sha256[:12]}…, {figure.bytes:,} bytes"]]
    if figure.accuracy is not None:
        found.append(["accuracy", _told(figure.accuracy)])
    if figure.run is not None and figure.row is not None:
        environment, provenance = figure.run.environment, figure.run.provenance
        count = figure.row.latency_ns.count if figure.row.latency_ns else 0
        found += [
            ["latency", f"{count:,} predictions in a fresh process" if count else "not measured"],
            ["machine", f"{environment.cpu}, {environment.cores} cores, {environment.os_version}"],
            ["measured", f"{provenance.created_at} by: {provenance.command}"],
            ["status", _status(figure)],
        ]
    if figure.path is not None:
        found.append(["read from", figure.path])
    return found


def _told(accuracy: Accuracy) -> str:
    m = accuracy.metrics
    return f"{m.top1 * 100:.2f} % top-1 on {m.images:,} of {m.total:,} {m.split} images, by {accuracy.source}"


def _with_interval(metrics: Metrics) -> str:
    return f"{metrics.top1 * 100:.2f} ({interval(metrics)})"


def _percent(value: float | None) -> str:
    return ABSENT if value is None else f"{value * 100:.2f}"
