"""The charts and the table: every figure as a point and a row, which the page links to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tinyml.confidence import ABSENT, top1_interval
from tinyml.counting import counted
from tinyml.schema import Metrics

from ...row import PERCENTILES, Row
from ...table import doubted, interval, megabytes, milliseconds, significant
from ...validity import MEANINGS
from ..figures import Accuracy, Figure, machine_name
from ..project import Project
from ..section import Content, sections


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table."""

    key: str
    heading: str
    figure: bool = True
    at_first: Literal["shown", "hidden", "where it differs", "where it is known"] = "hidden"
    """Whether the table opens with it."""


COLUMNS = (
    Column(key="model", heading="model", figure=False, at_first="where it differs"),
    Column(key="variant", heading="variant", figure=False, at_first="shown"),
    Column(key="format", heading="format", figure=False),
    Column(key="backend", heading="backend", figure=False, at_first="shown"),
    Column(key="units", heading="units", figure=False, at_first="shown"),
    Column(key="batch", heading="batch", at_first="where it differs"),
    Column(key="threads", heading="threads", at_first="where it differs"),
    Column(key="streams", heading="streams", at_first="where it differs"),
    Column(key="bytes", heading="size MB", at_first="shown"),
    Column(key="top1", heading="top-1 %", at_first="where it is known"),
    Column(key="top5", heading="top-5 %"),
    Column(key="images", heading="images"),
    Column(key="compile", heading="compile ms"),
    Column(key="load", heading="load ms", at_first="where it is known"),
    Column(key="cached", heading="cached load ms"),
    Column(key="first", heading="first ms"),
    Column(key="p50", heading="p50 ms", at_first="where it is known"),
    Column(key="p90", heading="p90 ms", at_first="where it is known"),
    Column(key="p95", heading="p95 ms"),
    Column(key="p99", heading="p99 ms"),
    Column(key="throughput", heading="images/s"),
    Column(key="peak", heading="peak MB", at_first="where it is known"),
    Column(key="model_memory", heading="model MB"),
    Column(key="energy", heading="mJ", at_first="where it is known"),
    Column(key="status", heading="status", figure=False, at_first="shown"),
    Column(key="machine", heading="machine", figure=False, at_first="where it differs"),
    Column(key="measured", heading="measured", figure=False, at_first="where it differs"),
)
FILTERS = ("model", "format", "variant", "backend", "units", "machine", "outcome")
AT_ONCE = 30
"""So many rows of the table are there when the page is painted; the others follow, for a browser is slow at tables."""
OWN_CHOICE = "own"
"""Threads that were left to the backend."""
TIMES = ("compile", "load", "cached", "first", "p50", "p90", "p95", "p99")


@sections.register("comparison")
def comparison(_: Project, figures: list[Figure]) -> Content | None:
    """One row and one point a figure."""
    if not figures:
        return None
    # What was measured stands above what was not.
    figures = sorted(figures, key=lambda figure: figure.row is None or figure.row.result.status != "ok")
    lines = [_line(figure) for figure in figures]
    flags = dict.fromkeys(flag for figure in figures if figure.row for flag in figure.row.result.flags)
    return Content(
        place=20,
        title="Accuracy against cost",
        template="comparison.html",
        values={
            "columns": [(column, _at_first(column, lines)) for column in COLUMNS],
            "absent": ABSENT,
            "lines": lines,
            "at_once": AT_ONCE,
            "points": [_point(figure, line) for figure, line in zip(figures, lines, strict=True)],
            "origins": {figure.key: _origin(figure) for figure in figures},
            "filters": {name: sorted({str(line["texts"][name]) for line in lines}) for name in FILTERS},
            "flags": [(flag, MEANINGS[flag]) for flag in flags if flag in MEANINGS],
        },
    )


def _at_first(column: Column, lines: list[dict[str, Any]]) -> bool:
    known = {text for line in lines if (text := line["texts"][column.key]) not in (ABSENT, OWN_CHOICE)}
    if column.at_first in ("shown", "hidden"):
        return column.at_first == "shown"
    return len(known) > (1 if column.at_first == "where it differs" else 0)


def _line(figure: Figure) -> dict[str, Any]:
    numbers = _numbers(figure)
    row = figure.row
    case = row.result.case if row else None

    def time(name: str) -> str:
        text = milliseconds(numbers[name])
        return doubted(row, text) if row is not None and name in ("p50", "p90", "p95", "p99") else text

    def figure_of(name: str, scale: float) -> str:
        value = numbers[name]
        return ABSENT if value is None else significant(value / scale)

    texts = {
        "model": figure.model,
        "variant": figure.variant,
        "format": figure.format,
        "backend": case.backend if case else ABSENT,
        "units": case.requested_units if case else ABSENT,
        "batch": str(case.batch) if case else ABSENT,
        "threads": str(case.threads or OWN_CHOICE) if case else ABSENT,
        "streams": str(case.streams) if case else ABSENT,
        "machine": machine_name(figure.run.environment) if figure.run else ABSENT,
        "measured": figure.run.provenance.created_at[:10] if figure.run else ABSENT,
        "status": _status(figure),
        "outcome": _outcome(row),
        "bytes": megabytes(figure.bytes),
        "top1": _with_interval(figure.accuracy.metrics) if figure.accuracy else ABSENT,
        "top5": _percent(numbers["top5"]),
        "images": f"{figure.accuracy.metrics.images:,} {figure.accuracy.metrics.split}" if figure.accuracy else ABSENT,
        **{name: time(name) for name in TIMES},
        "throughput": figure_of("throughput", 1.0),
        "peak": megabytes(row.peak_memory_bytes if row else None),
        "model_memory": megabytes(row.model_memory_bytes if row else None),
        "energy": figure_of("energy", 1e3),
    }
    return {"key": figure.key, "texts": texts, "numbers": numbers, "ok": row is not None and row.result.status == "ok"}


def _point(figure: Figure, line: dict[str, Any]) -> dict[str, Any]:
    """What the script needs of a figure, beside its line in the table."""
    return {
        "key": line["key"],
        "file": figure.sha256[:12],
        "name": figure.row.name if figure.row else f"{figure.model} {figure.variant}",
        **{name: line["texts"][name] for name in FILTERS},
        **line["numbers"],
        "interval": _interval(figure.row),
        "top1_interval": _top1_interval(figure.accuracy),
    }


def _numbers(figure: Figure) -> dict[str, float | None]:
    row, accuracy = figure.row, figure.accuracy
    case = row.result.case if row else None
    latency = row.latency_ns if row else None
    return {
        "bytes": figure.bytes,
        "batch": case.batch if case else None,
        "threads": case.threads if case else None,
        "streams": case.streams if case else None,
        "top1": accuracy.metrics.top1 if accuracy else None,
        "top5": accuracy.metrics.top5 if accuracy else None,
        "images": accuracy.metrics.images if accuracy else None,
        "compile": row.compile_ns if row else None,
        "load": row.load_ns if row else None,
        "cached": row.cached_load_ns if row else None,
        "first": row.first_prediction_ns if row else None,
        "p50": latency.p50 if latency else None,
        "p90": latency.p90 if latency else None,
        "p95": latency.p95 if latency else None,
        "p99": latency.p99 if latency else None,
        "throughput": row.images_per_s if row else None,
        "peak": row.peak_memory_bytes if row else None,
        "model_memory": row.model_memory_bytes if row else None,
        "energy": row.energy_uj if row else None,
    }


def _outcome(row: Row | None) -> str:
    if row is None or row.result.status == "not_run":
        return "not run"
    if row.result.status != "ok":
        return row.result.status
    return "measured" if row.latency_ns else "accuracy only"


def _status(figure: Figure) -> str:
    if figure.row is None or figure.run is None:
        return "not run: in no bench run"
    return f"{figure.row.verdict}; quick" if figure.run.quick else figure.row.verdict


def _interval(row: Row | None) -> list[float] | None:
    interval = row.percentiles[50].interval if row is not None and row.percentiles else None
    return None if interval is None else [interval.low, interval.high]


def _top1_interval(accuracy: Accuracy | None) -> list[float] | None:
    if accuracy is None:
        return None
    within = top1_interval(accuracy.metrics)
    return [within.low, within.high]


def _origin(figure: Figure) -> list[list[str]]:
    """Where the figures of a row come from, as names and values."""
    found = [["file", f"{figure.variant}, sha256 {figure.sha256[:12]}…, {figure.bytes:,} bytes"]]
    if figure.accuracy is not None:
        found.append(["accuracy", _told(figure.accuracy)])
    if figure.run is not None and figure.row is not None:
        environment, provenance, row = figure.run.environment, figure.run.provenance, figure.row
        count, rounds = row.latency_ns.count if row.latency_ns else 0, max(1, len(row.result.rounds))
        processes = f"{rounds} fresh processes" if rounds > 1 else "a fresh process"
        found.append(["latency", f"{count:,} predictions in {processes}" if count else "not measured"])
        found += [[f"p{q}", _percentile(row, q)] for q in PERCENTILES if row.percentiles]
        found += [
            ["machine", f"{environment.cpu}, {counted(environment.cores, 'core')}, {environment.os_version}"],
            ["measured", f"{provenance.created_at} by: {provenance.command}"],
            ["status", _status(figure)],
        ]
    if figure.path is not None:
        found.append(["read from", figure.path])
    return found


def _percentile(row: Row, q: int) -> str:
    estimate = row.percentiles[q]
    within = estimate.interval
    reach = f"95% interval {milliseconds(within.low)} to {milliseconds(within.high)}" if within else "too few samples"
    return f"{milliseconds(estimate.value)} ms ({reach})"


def _told(accuracy: Accuracy) -> str:
    m = accuracy.metrics
    return f"{m.top1 * 100:.2f} % top-1 on {m.images:,} of {m.total:,} {m.split} images, by {accuracy.source}"


def _with_interval(metrics: Metrics) -> str:
    return f"{metrics.top1 * 100:.2f} ({interval(metrics)})"


def _percent(value: float | None) -> str:
    return ABSENT if value is None else f"{value * 100:.2f}"
