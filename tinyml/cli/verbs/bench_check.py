"""`tinyml bench check`: whether a run keeps a budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import EXIT_LIMIT
from ..options import RESULTS, Json, Results
from ..output import Output
from .bench import bench_app


@bench_app.command()
def check(
    run: Annotated[str | None, typer.Argument(help="A run's id, folder or file; default: the newest.")] = None,
    budget: Annotated[
        Path, typer.Option("--budget", help="A TOML file of [[limits]]: patterns (variant) and figures (p90_ms).")
    ] = Path("budget.toml"),
    markdown: Annotated[bool, typer.Option("--markdown", help="A comment for a pull request.")] = False,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Hold a run against limits of latency, size, memory and accuracy; exit code 3 where one is not kept."""
    from tinyml.bench.budget import check as checked
    from tinyml.bench.budget import kept, read_budget
    from tinyml.bench.runs import open_run
    from tinyml.bench.verdicts import BUDGET_COLUMNS, budget_cells, budget_markdown
    from tinyml.workspace import Workspace

    out = Output(json=json)
    limits = read_budget(budget)
    found, _ = open_run(run, Workspace(results))
    rows = checked(found, limits)
    if markdown:
        out.line(budget_markdown(found, rows))
    else:
        out.table(f"{found.id} against {budget}", BUDGET_COLUMNS, [budget_cells(row) for row in rows])
    out.document(rows)
    if not kept(rows):
        raise typer.Exit(EXIT_LIMIT)
