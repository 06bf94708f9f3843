"""`index.html`: the run as one file, without a network, for people."""

from __future__ import annotations

from pathlib import Path

from tinyml.schema import BenchRun
from tinyml.store import write_bytes
from tinyml.workspace import BENCH_RUN, REPORT_PAGE

from ..page.project import of_run
from ..page.render import html
from ..report import reports


def write(run: BenchRun, folder: Path) -> None:
    """Writes `index.html`."""
    write_bytes(folder / REPORT_PAGE, html(of_run(run, folder / BENCH_RUN)).encode())


reports.add("page", write)
