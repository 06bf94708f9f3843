"""`tinyml reproduce`: all results from nothing, in pieces."""

from __future__ import annotations

from typing import Annotated

import typer

from ..app import app
from ..options import RESULTS, Results
from ..output import Output


@app.command()
def reproduce(
    models: Annotated[
        str | None, typer.Option("--models", help="Separated by commas; the six landmark networks if left out.")
    ] = None,
    data: Annotated[str, typer.Option("--data", help="As for tinyml train.")] = "tiny-imagenet",
    budget: Annotated[str, typer.Option("--budget", help="Wall time of each training.")] = "3h",
    limit: Annotated[
        int | None, typer.Option("--limit", help="Images of each epoch and measurement: a rehearsal.", min=10)
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", help="Some steps now, as train or eval,export; the rest another time."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say the commands.")] = False,
    results: Results = RESULTS,
) -> None:
    """Train, measure, export in every way, explain and bench each network; stopped at any time, it goes on."""
    from tinyml.commands import command
    from tinyml.reproduce import SIX, kind_of, kinds_of, plan
    from tinyml.reproduce import reproduce as run
    from tinyml.workspace import PROJECT_PAGE, Workspace

    out, workspace = Output(), Workspace(results)
    wanted = SIX if models is None else [name.strip() for name in models.split(",")]
    kinds = kinds_of(only)
    steps = plan(wanted, data=data, budget=budget, workspace=workspace, limit=limit)
    if dry_run:
        for step in (step for step in steps if kind_of(step) in kinds):
            out.line(command(*step.words))
        return
    outcome = run(steps, workspace, out.line, kinds=kinds)
    if outcome.failed:
        out.line(f"failed: {', '.join(outcome.failed)}")
    if outcome.left:
        out.line(f"left out, as they build on it: {', '.join(outcome.left)}")
    if outcome.code:
        out.line(f"to go on: {command('reproduce', *_given(models, data, budget, limit, only), results=results)}")
        raise typer.Exit(outcome.code)
    if "report" in kinds:
        out.line(f"worth opening: {results / PROJECT_PAGE}")


def _given(models: str | None, data: str, budget: str, limit: int | None, only: str | None) -> list[str]:
    return [
        *(("--models", models) if models else ()),
        *("--data", data, "--budget", budget),
        *(("--limit", str(limit)) if limit else ()),
        *(("--only", only) if only else ()),
    ]
