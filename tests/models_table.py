"""The table of the README: the networks as trained and their smallest files, with the latency of each by machine."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tinyml.bench.markdown_table import table
from tinyml.bench.page.figures import CHECKPOINT, MEGABYTE, Figure, figures, machine_name
from tinyml.bench.page.project import read
from tinyml.confidence import ABSENT, top1_told
from tinyml.counting import counted

COREML = "coreml"
WORDS = {"torch_compile": "torch compiled", COREML: "Core ML", "coreai": "Core AI"}
"""Backends that are not called what people call them."""
UNITS = {"cpu_only": "CPU", "cpu_and_gpu": "GPU", "cpu_and_ne": "Neural Engine", "all": "all units"}
APPLE = f"Core ML on {', '.join(list(UNITS.values())[:-1])}"
"""The column for all of them where none was measured."""
DOUBTFUL = "!"


def models(results: Path) -> str | None:
    """A table a machine; on each, a row a file and a column for each way of running it that was measured there.

    Core ML has a column in any case, for it is what the files are made for.
    """
    every = figures(read(results))
    found = [f for f in every if f.accuracy is not None and f.row is not None and f.row.result.case.one_image]
    by_machine = groupby(sorted(found, key=_machine), key=_machine)
    told = [_on_machine(machine, list(group)) for machine, group in by_machine]
    return "\n\n".join(told) if told else None


def _told(figure: Figure, found: list[Figure]) -> bool:
    """Whether it is of the network as trained or of the smallest file of its format, first among those timed."""
    same = [f for f in found if (f.model, f.format) == (figure.model, figure.format)]
    smallest = min(same, key=lambda f: (_milliseconds(f) is None, f.bytes, f.sha256))
    return figure.variant == CHECKPOINT or figure.sha256 == smallest.sha256


def _machine(figure: Figure) -> str:
    assert figure.run is not None
    return machine_name(figure.run.environment)


def _on_machine(machine: str, every: list[Figure]) -> str:
    found = [figure for figure in every if _told(figure, every)]
    measured = sorted({_way(f) for f in found if _milliseconds(f) is not None})
    ways = measured if any(way.startswith(WORDS[COREML]) for way in measured) else [*measured, APPLE]
    lines = []
    for sha256 in dict.fromkeys(figure.sha256 for figure in found):
        of_file = [figure for figure in found if figure.sha256 == sha256]
        first, cells = of_file[0], [_cell(way, of_file) for way in ways]
        assert first.accuracy is not None
        if set(cells) == {ABSENT}:  # what was refused in ways that nobody measured here stands in the run's report
            continue
        metrics = first.accuracy.metrics
        lines.append(
            [
                first.model,
                first.variant,
                f"{first.bytes / MEGABYTE:.2f}",
                top1_told(metrics),
                f"{metrics.images:,} {metrics.split}",
                *cells,
            ]
        )
    heads = ("network", "file", "size MB", "top-1 (95% interval)", "images", *(f"{way}, ms" for way in ways))
    doubt = f"{DOUBTFUL}: the bench doubts it, by few samples, say, or an uneven machine; its run's report says why"
    below = f"Medians of one image at a time, on {machine}. {doubt}."
    return "\n".join([*table(heads, lines, text_columns=2), "", below])


def _way(figure: Figure) -> str:
    """How a file was run, as the head of a column says it."""
    assert figure.row is not None
    case = figure.row.result.case
    units = UNITS.get(case.requested_units, case.requested_units)
    threads = f" ({counted(case.threads, 'thread')})" if case.threads and case.backend != COREML else ""
    name = f"{WORDS.get(case.backend, case.backend)}{threads}"
    return name if units == "cpu" else f"{name} on {units}"


def _milliseconds(figure: Figure) -> str | None:
    if figure.row is None or figure.run is None or figure.row.latency_ns is None:
        return None
    mark = f" {DOUBTFUL}" if figure.row.doubtful or figure.run.quick else ""
    return f"{figure.row.latency_ns.p50 / 1e6:.3g}{mark}"


def _cell(way: str, of_file: list[Figure]) -> str:
    """The median, the reason why there is none, or that the file is none for this way."""
    for figure in of_file:
        assert figure.row is not None
        if _way(figure) == way or (way == APPLE and figure.row.result.case.backend == COREML):
            return _milliseconds(figure) or figure.row.verdict
    return ABSENT
