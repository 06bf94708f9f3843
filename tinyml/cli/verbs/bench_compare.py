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
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            help="The base, then the runs to compare with it: ids, folders or files; several parted by commas as one. "
            "With --base the runs to compare within; default: the newest.",
            metavar="[RUN]...",
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="Within a run: compare all else with this variant, model, file or start of a SHA-256.",
            metavar="NAME",
        ),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", help='Like "p90 > 1.1x" or "size > 12 MB"; may be repeated.', metavar="CONDITION"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compare runs of different environments.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="A comment for a pull request.")] = False,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Compare runs of the same environment, or the models within one (--base), case by case.

    On a machine with other work measure both sides in one run of many rounds (`bench --rounds 48`): they come in turn,
    and pairs of neighbors are compared. Exit code 3 where a condition of --fail-if comes true.
    """
    from tinyml.bench.comparison import compare
    from tinyml.bench.conditions import hold, parse
    from tinyml.bench.matching import Runs, matches_between, matches_within
    from tinyml.bench.runs import open_run
    from tinyml.bench.verdicts import (
        COMPARISON_COLUMNS,
        CONDITION_COLUMNS,
        comparison_cells,
        comparison_markdown,
        condition_cells,
        title_of,
    )
    from tinyml.errors import UsageError
    from tinyml.workspace import Workspace

    out = Output(json=json)
    conditions = [parse(text) for text in fail_if or ()]
    workspace = Workspace(results)
    sides = [Runs(tuple(open_run(name, workspace)[0] for name in names.split(","))) for names in runs or ()]
    if base is not None:
        if len(sides) > 1:
            raise UsageError(
                "--base compares within one run", value=" ".join(runs or ()), allowed="several parted by commas"
            )
        within = sides[0] if sides else Runs((open_run(None, workspace)[0],))
        matches = matches_within(within, base, force=force)
    elif len(sides) > 1:
        matches = matches_between(sides[0], sides[1:], force=force)
    else:
        raise UsageError(
            "nothing to compare with", value=" ".join(runs or ()) or None, allowed="two runs or more, or --base NAME"
        )
    comparison = compare(matches, at_least_one=not conditions)
    rows = hold(conditions, matches.matches)
    if markdown:
        out.line(comparison_markdown(comparison, rows if conditions else None))
    else:
        if comparison.rows:
            out.table(title_of(comparison), COMPARISON_COLUMNS, [comparison_cells(row) for row in comparison.rows])
        if conditions:
            out.table("Conditions", CONDITION_COLUMNS, [condition_cells(row) for row in rows])
        for line in (*comparison.warnings, *comparison.unmatched):
            out.line(line)
    out.document({**comparison.model_dump(mode="json"), "conditions": [row.model_dump(mode="json") for row in rows]})
    if any(row.outcome in ("failed", "not measured") for row in rows) or (conditions and not rows):
        raise typer.Exit(EXIT_LIMIT)
