"""`report.md`: the table and everything needed to read it."""

from __future__ import annotations

from pathlib import Path

from tinyml.schema import BenchRun
from tinyml.store import write_bytes

from ..estimates import Estimate
from ..markdown_table import line
from ..report import reports
from ..row import PERCENTILES, rows
from ..scatter import by_size
from ..table import COLUMNS, NOTES, TEXT_COLUMNS, doubts, facts, milliseconds, table


def markdown(run: BenchRun) -> str:
    """The report as Markdown."""
    lines = [f"# Bench run {run.id}", ""]
    if run.quick:
        lines += ["**Quick: a first look with few repeats and images, not a measurement to rely on.**", ""]
    lines += ["## Results", "", line(COLUMNS)]
    lines.append(line(["---"] * TEXT_COLUMNS + ["---:"] * (len(COLUMNS) - TEXT_COLUMNS)))
    lines += [line(cells) for cells in table(run)]
    if not run.results:
        lines += ["", "The run has no results."]
    lines += ["", *(f"- {note}" for note in NOTES), ""]
    measured = [row for row in rows(run) if row.latency_ns is not None]
    if measured:
        heads = (f"p{q} ms, 95% interval" for q in PERCENTILES)
        lines += ["## Latency", "", line(["case", "rounds", "samples", "waiting", *heads])]
        lines.append(line(["---", "---:", "---:", "---:", *("---" for _ in PERCENTILES)]))
        for row in measured:
            waiting = "not known" if row.waiting is None else f"{row.waiting:.1%}"
            shares = [str(max(1, len(row.result.rounds))), str(row.latency_ns.count if row.latency_ns else 0), waiting]
            lines.append(line([row.name, *shares, *(_estimate(row.percentiles[q]) for q in PERCENTILES)]))
        lines += [
            "",
            "Waiting: of the time in which a case's threads could have run, the share that they spent without a core, "
            "in the worst round. The intervals hold the true figure 95 times of 100, from the spread between rounds.",
        ]
        lines += ["", *(f"- {doubt}" for doubt in doubts(run))]
        pictures = ["![Latency](latency.png)"]
        if by_size(rows(run)):
            pictures.insert(0, "![Accuracy over size and latency](accuracy.png)")
        for picture in pictures:
            lines += ["", picture]
        lines.append("")
    lines += ["## Where and how", "", line(["what", "value"]), line(["---", "---"])]
    lines += [line(fact) for fact in facts(run)]
    return "\n".join(lines) + "\n"


def _estimate(estimate: Estimate) -> str:
    interval = estimate.interval
    reach = f"{milliseconds(interval.low)} to {milliseconds(interval.high)}" if interval else "too few samples"
    return f"{milliseconds(estimate.value)} ({reach})"


def write(run: BenchRun, folder: Path) -> None:
    """Writes `report.md`."""
    write_bytes(folder / "report.md", markdown(run).encode())


reports.add("markdown", write)
