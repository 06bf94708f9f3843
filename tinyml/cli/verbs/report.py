"""`tinyml report`: everything that was trained, exported and measured, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..app import app
from ..options import RESULTS, Json, Results
from ..output import Output


@app.command()
def report(
    results: Results = RESULTS,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="The page's file; default: report.html in the results folder.", dir_okay=False),
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Open it in a browser, and follow new results.")] = False,
    port: Annotated[int | None, typer.Option("--port", help="For --serve; any that is free if left out.")] = None,
    asset: Annotated[
        Path | None,
        typer.Option("--asset", help="onnxruntime-web's folder dist: the page then runs models.", metavar="FOLDER"),
    ] = None,
    json: Json = False,
) -> None:
    """Make one self-contained page of all results: charts, tables, curves, proofs, and where each figure comes from."""
    from tinyml.bench.page.in_page import checked_runtime
    from tinyml.bench.page.project import read
    from tinyml.bench.page.render import html
    from tinyml.commands import first_training
    from tinyml.errors import BenchError, UsageError
    from tinyml.store import check_output, write_bytes
    from tinyml.workspace import PROJECT_PAGE

    out = Output(json=json)
    if serve and output is not None:
        raise UsageError("--serve writes no page", value=output, hint="leave --output out")
    if port is not None and not serve:
        raise UsageError("--port without --serve", value=port, hint="add --serve, or leave it out")
    if output is not None:
        check_output(output, ".html")
    runtime = checked_runtime(asset) if asset is not None else None
    project = read(results, web_runtime=runtime) if results.is_dir() else None
    if project is None or project.empty:
        raise BenchError("no results to report", value=results, hint=first_training(results=results))
    for line in project.unread:
        out.line(f"left out: {line}")
    if serve:
        _serve(out, results, port or 0, runtime)
        return
    target = output or results / PROJECT_PAGE
    write_bytes(target, html(project).encode())
    out.line(f"report: {target}")
    out.document({"page": str(target), "left_out": list(project.unread)})


def _serve(out: Output, results: Path, port: int, runtime: Path | None) -> None:
    import threading
    import webbrowser

    from tinyml.bench.page.served import serving

    with serving(results, port, web_runtime=runtime) as address:
        out.line(f"serving {address} until Ctrl-C")
        webbrowser.open(address)
        threading.Event().wait()
