"""Writes the tables of `DOCUMENTS` anew from `results/`, each between comments that bear its name, and its picture.

python -m tests.readme_tables

A table is a row of `TABLES`: what it needs of `results/`, how to measure that, and how it is told. Where the files are
not there the README says so and names the command; a number gets into it in no other way. A test compares.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml.bench.comparison import verdict_between
from tinyml.bench.markdown_table import table
from tinyml.confidence import ABSENT, Interval
from tinyml.store import write_bytes

from . import models_table, results_picture, results_tables

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", *(ROOT / "results" / name for name in ("README.md", "exports.md", "sources.md")))
MARKED = re.compile(r"(<!-- table (?P<name>[a-z-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of a document."""

    measured_by: str
    """The command that makes what it is told from."""
    told: Callable[[Path], str | None]
    """From `results/` to Markdown; None where nothing has been measured."""


def reference_runtime(results: Path) -> str | None:
    """The reference runtime beside torch and onnxruntime, one image at a time."""
    document = _json(results / "reference-runtime.json")
    if document is None:
        return None
    kinds = ("torch", "float32", "onnxruntime")
    records = [r for r in document["records"] if r.get("setting", "native") == "native"]
    lines = []
    for record in records:
        times = [record["times_ns"].get(f"batch 1 {kind}") for kind in kinds]
        middle = [statistics.median(each) / 1e6 if each else None for each in times]
        lines.append([record["network"], record["package"], *(ABSENT if m is None else f"{m:.1f}" for m in middle)])
    if not lines:
        return None
    on = document["environment"]["cpu"]
    told = _markdown(("network", "package", "torch ms", "reference runtime ms", "onnxruntime ms"), lines)
    return f"{told}\n\nMedians of one image, one thread, on {on}; {document['provenance']['created_at'][:10]}."


def bench_fidelity(results: Path) -> str | None:
    """What the bench says of two equal files, and of one with 10% more work."""
    document = _json(results / "bench_fidelity.json")
    if document is None:
        return None
    trials, lines = document["trials"], []
    counts = sorted({trial["runs"] * document["rounds"] for trial in trials})
    pairs = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    for by in ("latency", "processor_time"):
        same, planted = ([trial["ended"][which][by] for trial in trials] for which in ("a_a", "planted"))
        verdicts = [_verdict(row) for row in same]
        alarms = sum(verdict in ("slower", "faster") for verdict in verdicts)
        found = sum(_verdict(row) == "slower" for row in planted)
        told = (verdicts.count("no difference"), verdicts.count("within 5%"), alarms, found)
        lines.append([by.replace("_", " "), f"{pairs} pairs", *(f"{n} of {len(trials)}" for n in told)])
    loads = [trial["load"] for trial in trials]
    heads = ("told by", "from", "the same file: no difference", "within 5%", "false alarm", '10% more work: "slower"')
    place = document.get("beside") or f"{document['machine']['cores']} cores"
    where = f"{document['machine']['cpu']}, {place}, load average"
    return f"{_markdown(heads, lines)}\n\nOn {where} {min(loads):.0f} to {max(loads):.0f}."


def _verdict(row: dict[str, Any]) -> str:
    """What the bench says of it by now: the rule may be younger than the figures."""
    if row["verdict"].startswith("no verdict"):
        return "no verdict"
    return verdict_between(row["ratio"], Interval(low=row["low"], high=row["high"]))


TABLES: dict[str, Table] = {
    "models": Table(measured_by="make results", told=models_table.models),
    "networks": Table(measured_by="make results", told=results_tables.networks),
    "together": Table(measured_by="tinyml eval", told=results_tables.together),
    "chosen-exports": Table(measured_by="make results", told=results_tables.chosen_exports),
    "exports": Table(measured_by="make results", told=results_tables.exports),
    "robustness": Table(measured_by="make results", told=results_tables.robustness),
    "sources": Table(measured_by="make results", told=results_tables.sources),
    "reference-runtime": Table(measured_by="python tests/speed/reference_runtime.py", told=reference_runtime),
    "bench-fidelity": Table(measured_by="python tests/speed/bench_fidelity.py", told=bench_fidelity),
}


def generated(document: str, results: Path) -> str:
    """`document` with every table as `results` has it; raises KeyError for a table that is no row of `TABLES`."""

    def fill(found: re.Match[str]) -> str:
        row = TABLES[found["name"]]
        text = row.told(results) or f"Not measured yet: `{row.measured_by}` does it."
        return f"{found[1]}\n{text}\n\n{found[3]}"

    return MARKED.sub(fill, document)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _markdown(heads: tuple[str, ...], lines: list[list[str]]) -> str:
    return "\n".join(table(heads, lines, text_columns=2))


if __name__ == "__main__":
    results_picture.draw(ROOT / "results")
    for file in DOCUMENTS:
        write_bytes(file, generated(file.read_text(encoding="utf-8"), ROOT / "results").encode())
