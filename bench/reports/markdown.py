"""`report.md`: the table and everything needed to read it."""

from __future__ import annotations

from pathlib import Path

from tinyml.schema import BenchRun
from tinyml.store import write_bytes

from ..report import reports
from ..row import rows
from ..table import COLUMNS, NOTES, TEXT_COLUMNS, facts, milliseconds, table


def markdown(run: BenchRun) -> str:
    """The report as Markdown."""
    lines = [f"# Bench run {run.id}", ""]
    if run.quick:
        lines += ["**Quick: a first look with few repeats and images, not a measurement to rely on.**", ""]
    lines += ["## Results", "", _line(COLUMNS)]
    lines.append(_line(["---"] * TEXT_COLUMNS + ["---:"] * (len(COLUMNS) - TEXT_COLUMNS)))
    lines += [_line(cells) for cells in table(run)]
    if not run.results:
        lines += ["", "The run has no results."]
    lines += ["", *(f"- {note}" for note in NOTES), ""]
    measured = [row for row in rows(run) if row.latency_ns is not None]
    if measured:
        lines += ["## Latency", "", _line(["case", "samples", "mean ms", "std ms", "95% interval of the median ms"])]
        lines.append(_line(["---", "---:", "---:", "---:", "---"]))
        for row in measured:
            s = row.latency_ns
            assert s is not None  # noqa: S101 (selected above)
            interval = s.median_interval
            lines.append(
                _line(
                    [
                        row.name,
                        str(s.count),
                        milliseconds(s.mean),
                        milliseconds(s.std),
                        f"{milliseconds(interval.low)} to {milliseconds(interval.high)}"
                        if interval
                        else "too few samples",
                    ]
                )
            )
        lines += ["", "![Accuracy over size and latency](accuracy.png)", "", "![Latency](latency.png)", ""]
    lines += ["## Where and how", "", _line(["what", "value"]), _line(["---", "---"])]
    lines += [_line(fact) for fact in facts(run)]
    return "\n".join(lines) + "\n"


def write(run: BenchRun, folder: Path) -> None:
    """Writes `report.md`."""
    write_bytes(folder / "report.md", markdown(run).encode())


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _escaped(text: str) -> str:
    for mark in "\\`*_[]<>|":
        if mark != "_":
            text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


reports.add("markdown", write)
