"""`tinyml bench compare`: runs side by side, and conditions under which that fails."""

from __future__ import annotations

from typing import Annotated

import typer

from ..app import EXIT_LIMIT
from ..options import RESULTS, Json, Results
from ..output import Output
from .bench import bench_app


@bench_app.command()
def compare(
    a: Annotated[str, typer.Argument(help="The base: a run's id, folder or file; several, parted by commas, as one.")],
    b: Annotated[list[str], typer.Argument(help="The runs to compare with it, each like the base.")],
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", help='Like "p90 > 1.1x" or "size > 12 MB"; may be repeated.', metavar="CONDITION"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compare runs of different environments.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="A comment for a pull request.")] = False,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Compare runs of the same environment, case by case; exit code 3 where a condition of --fail-if comes true."""
    from tinyml.bench.comparison import Runs, compare_runs
    from tinyml.bench.conditions import hold, parse
    from tinyml.bench.runs import open_run
    from tinyml.bench.verdicts import (
        COMPARISON_COLUMNS,
        CONDITION_COLUMNS,
        comparison_cells,
        comparison_markdown,
        condition_cells,
        title_of,
    )
    from tinyml.workspace import Workspace

    out = Output(json=json)
    conditions = [parse(text) for text in fail_if or ()]
    workspace = Workspace(results)
    base, *others = (Runs(tuple(open_run(name, workspace)[0] for name in names.split(","))) for names in (a, *b))
    comparison = compare_runs(base, others, force=force)
    rows = hold(conditions, base, others)
    if markdown:
        out.line(comparison_markdown(comparison, rows))
    else:
        out.table(title_of(comparison), COMPARISON_COLUMNS, [comparison_cells(row) for row in comparison.rows])
        if conditions:
            out.table("Conditions", CONDITION_COLUMNS, [condition_cells(row) for row in rows])
        for line in (*comparison.warnings, *comparison.unmatched):
            out.line(line)
    out.document({**comparison.model_dump(mode="json"), "conditions": [row.model_dump(mode="json") for row in rows]})
    if any(row.outcome in ("failed", "not measured") for row in rows) or (conditions and not rows):
        raise typer.Exit(EXIT_LIMIT)
