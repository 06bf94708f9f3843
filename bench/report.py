"""What a report is: a function that writes files about a run into its folder, beside `run.json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tinyml.errors import BenchError
from tinyml.registry import Registry
from tinyml.schema import BenchRun
from tinyml.store import write_json
from tinyml.workspace import BENCH_RUN

Report = Callable[[BenchRun, Path], None]

reports: Registry[Report] = Registry("report", package="tinyml.bench.reports")


def write(run: BenchRun, folder: Path) -> None:
    """Writes `run.json` and every report into `folder`, each atomically."""
    write_json(folder / BENCH_RUN, run)
    write_reports(run, folder)


def write_reports(run: BenchRun, folder: Path) -> None:
    """Writes every report into `folder`, and leaves the run as it is."""
    for name in reports:
        reports.get(name)(run, folder)


def folder_of(bench: Path, run: BenchRun) -> Path:
    """Where a run belongs below the folder of all runs; raises BenchError for an id that is no folder name."""
    if not run.id.strip("."):
        raise BenchError("the run's id is no folder name", value=run.id, allowed="letters, digits, '.', '_', '-'")
    return bench / run.id
