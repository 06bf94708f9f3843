"""`tinyml bench history`: every case over time."""

from __future__ import annotations

from typing import Annotated

import typer

from ..options import RESULTS, Json, Results
from ..output import Output
from .bench import bench_app


@bench_app.command()
def history(
    case: Annotated[str, typer.Argument(help="Only cases whose name contains this.")] = "",
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Show each case over all runs, each machine on its own, and where its latency changed for good."""
    from tinyml.bench.history import read_history
    from tinyml.bench.verdicts import HISTORY_COLUMNS, history_rows
    from tinyml.commands import command
    from tinyml.errors import BenchError
    from tinyml.workspace import Workspace

    out = Output(json=json)
    found = read_history(Workspace(results), pattern=case)
    if found.cases:
        out.table("Median latencies over time", HISTORY_COLUMNS, history_rows(found))
    if found.cases and not any(one.enough for one in found.cases):
        out.line("no change can show yet: that takes six runs of a case on one machine")
    for line in found.left_out:
        out.line(line)
    out.document(found)
    if not found.cases:
        raise BenchError(
            f"no case with {case!r} in its name" if case else "no case measured to rely on",
            value=results,
            hint=f"measure first: {command('bench', results=results)}",
        )
