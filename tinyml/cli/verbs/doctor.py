"""`tinyml doctor`: what will and will not run here, and why."""

from __future__ import annotations

import typer

from ..app import EXIT_FAILED, app
from ..options import RESULTS, Json, Results
from ..output import Output


@app.command()
def doctor(
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Show versions, devices and data, and what will and will not run here and why."""
    from tinyml.bench.doctor import examine, results_writable

    out = Output(json=json)
    findings = [*examine(), results_writable(results)]
    out.table(
        "What runs here", ["topic", "name", "state", "detail"], [[f.topic, f.name, f.state, f.detail] for f in findings]
    )
    out.document(findings)
    broken = [finding for finding in findings if finding.state == "broken"]
    if broken:
        out.line(f"broken: {', '.join(finding.name for finding in broken)}")
        raise typer.Exit(EXIT_FAILED)
    out.line("nothing that tinyml needs is broken")
