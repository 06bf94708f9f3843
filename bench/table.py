"""The columns that the terminal, the Markdown report and the page share."""

from __future__ import annotations

import math

from tinyml.confidence import ABSENT, top1_interval
from tinyml.counting import counted
from tinyml.schema import BenchRun, Metrics

from .names import shape_words
from .row import PERCENTILES, Row, rows
from .validity import MEANINGS

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
    "compile ms",
    "load ms",
    "cached load ms",
    "first ms",
    "p50 ms",
    "p90 ms",
    "p95 ms",
    "p99 ms",
    "images/s",
    "peak MB",
    "model MB",
)
TEXT_COLUMNS = 5
"""The first ones are words, the others figures."""
DOUBT = " !"
"""Stands behind a time that the flags in the status make doubtful."""


def cells(row: Row) -> list[str]:
    """A row as text, one cell a column."""
    case = row.result.case
    return [
        f"{case.model}{shape_words(case)}",
        row.variant,
        case.backend,
        case.requested_units,
        row.verdict,
        megabytes(case.artifact_bytes),
        percent(row.result.accuracy),
        interval(row.result.accuracy),
        images(row.result.accuracy),
        milliseconds(row.compile_ns),
        milliseconds(row.load_ns),
        milliseconds(row.cached_load_ns),
        milliseconds(row.first_prediction_ns),
        *(doubted(row, milliseconds(row.percentiles[q].value if row.percentiles else None)) for q in PERCENTILES),
        doubted(row, ABSENT if row.images_per_s is None else f"{row.images_per_s:.4g}"),
        megabytes(row.peak_memory_bytes),
        megabytes(row.model_memory_bytes),
    ]


def doubted(row: Row, text: str) -> str:
    """`text`, marked where the flags of the row make it doubtful."""
    return text + DOUBT if row.doubtful and text != ABSENT else text


def title(run: BenchRun) -> str:
    """What a table of the run is headed with."""
    quick = " - quick: a first look, not a measurement to rely on" if run.quick else ""
    where = run.environment.device or f"{run.environment.cpu}, {run.environment.os_version}"
    return f"Bench run {run.id} on {where}{quick}"


def table(run: BenchRun) -> list[list[str]]:
    """All rows as text."""
    return [cells(row) for row in rows(run)]


def milliseconds(ns: float | None) -> str:
    """Nanoseconds in milliseconds."""
    return ABSENT if ns is None else significant(ns / 1e6)


def significant(value: float) -> str:
    """Three significant digits, or all of the whole number: "0.0230", "1.20", "12345"."""
    places = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{max(0, places)}f}"


def megabytes(count: int | None) -> str:
    """Bytes in units of a million."""
    if count is None:
        return ABSENT
    return significant(count / 1e6) if count < 1e6 or count >= 1e8 else f"{count / 1e6:.2f}"


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
        ("CPU", f"{e.cpu}, {counted(e.cores, 'core')}"),
        ("memory", f"{e.memory_bytes / 2**30:.1f} GiB"),
        ("system", " ".join(part for part in (e.os, e.os_version, e.os_build) if part)),
        ("runtime", e.runtime),
        ("packages", ", ".join(f"{name} {version}" for name, version in sorted(e.packages.items())) or "none recorded"),
        ("thermal state", e.thermal_state or "not recorded"),
        ("governor", e.governor or "not recorded"),
        ("on battery", {True: "yes", False: "no", None: "not recorded"}[e.on_battery]),
        ("low-power mode", {True: "on", False: "off", None: "not recorded"}[e.low_power_mode]),
        ("command", p.command),
        ("made", f"{p.created_at} by tinyml {p.tool_version}"),
    ]
    if p.limit is not None:
        found.append(("limit", f"accuracy on at most {counted(p.limit, 'image')}"))
    return found


NOTES = (
    "Sizes and memory in millions of bytes; times in milliseconds for one prediction, of the whole batch where the "
    "model has one beside it. Compile: ahead, where the backend does so. Load: the first one; cached load: a later "
    "one. First: the first prediction after it. The percentiles are of the steady state, warm and back to back; "
    "behind one that is doubtful stands an exclamation mark.",
    "An accuracy's interval is Wilson's, at 95%, for the images it was counted on; between models that saw the same "
    "images a difference inside it may still be real, and is for `tinyml verify` to judge.",
    "Percentiles interpolate linearly between the closest ranks. Peak memory is the largest resident set of a fresh "
    "worker process, its interpreter and libraries included; model memory is that less the same process before the "
    "model.",
    "Units are a permission, never a placement. The reference runtime measures accuracy only: its time says nothing of "
    "any device.",
)


def doubts(run: BenchRun) -> list[str]:
    """What the flags of the run mean, one sentence a flag; a time that they make doubtful is marked with "!"."""
    found = dict.fromkeys(flag for result in run.results for flag in result.flags)
    return [f"{flag}: {MEANINGS[flag]}" for flag in found if flag in MEANINGS]
