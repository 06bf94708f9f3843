"""`tinyml ops`: which ops of ML Programs the reference runtime implements."""

from __future__ import annotations

from typing import Annotated

import typer

from ..app import app
from ..options import Json
from ..output import Output


@app.command()
def ops(
    missing: Annotated[bool, typer.Option("--missing", help="Only the ops that are not implemented.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The table as Markdown, for the documentation.")] = False,
    json: Json = False,
) -> None:
    """List the ops of ML Programs, and in which opsets the reference runtime has them."""
    from dataclasses import asdict

    from tinyml.coreml.ops.registry import OPSETS
    from tinyml.coreml.tools.coverage import NOT_IN_PROGRAMS, markdown_table, op_table
    from tinyml.errors import UsageError

    if markdown and json:
        raise UsageError("--markdown and --json", allowed="one of them")
    out = Output(json=json)
    table = op_table()
    rows = [row for row in table if not (missing and row.implemented)]
    if markdown:
        out.line(markdown_table(rows).rstrip())
        return
    out.table(
        "Ops of ML Programs",
        ["op", "family", *OPSETS, "remark"],
        [[r.name, r.family, *r.status, r.remark] for r in rows],
    )
    implemented = sum(row.implemented for row in table)
    out.line(f"{implemented} of {len(table)} ops implemented")
    for name, reason in NOT_IN_PROGRAMS.items():
        out.line(f"left out: {name} ({reason})")
    out.document([asdict(row) | {"status": dict(zip(OPSETS, row.status, strict=True))} for row in rows])
