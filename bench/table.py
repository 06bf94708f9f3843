"""The columns that the terminal, the Markdown report and the page share."""

from __future__ import annotations

from tinyml.confidence import ABSENT, top1_interval
from tinyml.schema import BenchRun, Metrics

from .row import Row, rows

COLUMNS = (
    "model",
    "variant",
    "backend",
    "units",
    "status",
    "size MB",
    "top-1 %",
    "95% interval",
    "images",
    "load ms",
    "first ms",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "peak MB",
)
TEXT_COLUMNS = 5
"""The first ones are words, the others figures."""


def cells(row: Row) -> list[str]:
    """A row as text, one cell a column."""
    case, latency = row.result.case, row.latency_ns
    return [
        case.model,
        case.variant,
        case.backend,
        case.requested_units,
        row.verdict,
        megabytes(case.artifact_bytes),
        percent(row.result.accuracy),
        interval(row.result.accuracy),
        images(row.result.accuracy),
        milliseconds(row.load_ns),
        milliseconds(row.first_prediction_ns),
        milliseconds(latency.p50 if latency else None),
        milliseconds(latency.p90 if latency else None),
        milliseconds(latency.p99 if latency else None),
        megabytes(row.peak_memory_bytes),
    ]


def title(run: BenchRun) -> str:
    """What a table of the run is headed with."""
    quick = " - quick: a first look, not a measurement to rely on" if run.quick else ""
    return f"Bench run {run.id} on {run.environment.cpu}, {run.environment.os_version}{quick}"


def table(run: BenchRun) -> list[list[str]]:
    """All rows as text."""
    return [cells(row) for row in rows(run)]


def milliseconds(ns: float | None) -> str:
    """Nanoseconds in milliseconds, three significant digits at least."""
    if ns is None:
        return ABSENT
    value = ns / 1e6
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.3g}"


def megabytes(count: int | None) -> str:
    """Bytes in units of a million."""
    return ABSENT if count is None else f"{count / 1e6:.2f}" if count < 1e8 else f"{count / 1e6:.0f}"


def percent(accuracy: Metrics | None) -> str:
    """The top-1 accuracy."""
    return ABSENT if accuracy is None else f"{accuracy.top1 * 100:.2f}"


def interval(accuracy: Metrics | None) -> str:
    """The 95% interval of the top-1 accuracy, in percent."""
    if accuracy is None:
        return ABSENT
    found = top1_interval(accuracy)
    return f"{found.low * 100:.2f} to {found.high * 100:.2f}"


def images(accuracy: Metrics | None) -> str:
    """How many images the accuracy was counted on."""
    return ABSENT if accuracy is None else str(accuracy.images)


def facts(run: BenchRun) -> list[tuple[str, str]]:
    """The environment and the provenance, as names and values."""
    e, p = run.environment, run.provenance
    found = [
        ("machine", e.machine),
        ("CPU", f"{e.cpu}, {e.cores} cores"),
        ("memory", f"{e.memory_bytes / 2**30:.1f} GiB"),
        ("system", " ".join(part for part in (e.os, e.os_version, e.os_build) if part)),
        ("runtime", e.runtime),
        ("packages", ", ".join(f"{name} {version}" for name, version in sorted(e.packages.items())) or "none recorded"),
        ("thermal state", e.thermal_state or "not recorded"),
        ("low-power mode", {True: "on", False: "off", None: "not recorded"}[e.low_power_mode]),
        ("command", p.command),
        ("made", f"{p.created_at} by tinyml {p.tool_version}"),
    ]
    if p.limit is not None:
        found.append(("limit", f"accuracy on at most {p.limit} images"))
    return found


NOTES = (
    "Sizes and memory in millions of bytes; times in milliseconds for one image at a time.",
    "An accuracy's interval is Wilson's, at 95%, for the images it was counted on; between models that saw the same "
    "images a difference inside it may still be real, and is for `tinyml verify` to judge.",
    "Percentiles interpolate linearly between the closest ranks. Peak memory is the largest resident set of the fresh "
    "worker process that measured the case, its interpreter and libraries included; results.csv has the baseline "
    "after the imports.",
    "Units are a permission, never a placement. The reference runtime measures accuracy only: its time says nothing of "
    "any device.",
)
