"""`tinyml bench`: measure every artifact, and read, import and compare runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import EXIT_FAILED, EXIT_INTERRUPTED, app
from ..options import RESULTS, Json, Results, TrainedOn
from ..output import Output

if TYPE_CHECKING:
    from tinyml.schema import BenchRun

_bench = typer.Typer(name="bench", help="Measure every exported artifact on every backend and compute unit.")
app.add_typer(_bench)


@_bench.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    model: Annotated[list[str] | None, typer.Option("--model", help="Only this model; may be repeated.")] = None,
    variant: Annotated[list[str] | None, typer.Option("--variant", help="Only this variant; may be repeated.")] = None,
    backend: Annotated[list[str] | None, typer.Option("--backend", help="Only this backend; may be repeated.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A first look: few repeats, 200 images; marked as such.")
    ] = False,
    repeats: Annotated[int | None, typer.Option("--repeats", help="At least so many measured predictions.")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="And for at least so long.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Test images for the accuracy.")] = None,
    data: TrainedOn = None,
    accuracy: Annotated[bool, typer.Option("--accuracy/--no-accuracy", help="Measure the accuracy as well.")] = True,
    threads: Annotated[int | None, typer.Option("--threads", help="CPU threads; default: all usable cores.")] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", help="Seconds after which a case has failed.")] = None,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Measure every exported artifact on every backend and compute unit."""
    if context.invoked_subcommand is not None:
        return
    from tinyml.bench.jobs import Selection, settings_of
    from tinyml.bench.runner import INTERRUPTED
    from tinyml.bench.runs import measure
    from tinyml.workspace import Workspace

    settings = settings_of(
        quick=quick,
        min_repeats=repeats,
        min_seconds=seconds,
        limit=limit,
        timeout_s=timeout,
        threads=threads,
        accuracy=accuracy,
        data=data,
    )
    out = Output(json=json)
    selection = Selection(models=tuple(model or ()), variants=tuple(variant or ()), backends=tuple(backend or ()))
    run, folder = measure(Workspace(results), selection, settings, progress=out.progress)
    _show(out, run, folder)
    if any(result.reason == INTERRUPTED for result in run.results):
        raise typer.Exit(EXIT_INTERRUPTED)
    if any(result.status == "failed" for result in run.results):
        raise typer.Exit(EXIT_FAILED)


@_bench.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A run's JSON file, from another machine or the app.")],
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Check a run that was measured elsewhere, keep it and write its report."""
    from tinyml.bench.runs import import_run
    from tinyml.workspace import Workspace

    out = Output(json=json)
    _show(out, *import_run(file, Workspace(results)))


@_bench.command()
def report(
    run: Annotated[str | None, typer.Argument(help="A run's id, folder or file; default: the newest.")] = None,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Write a run's reports again and print its table."""
    from tinyml.bench.runs import rebuild
    from tinyml.workspace import Workspace

    out = Output(json=json)
    _show(out, *rebuild(run, Workspace(results)))


@_bench.command()
def compare(
    a: Annotated[str, typer.Argument(help="A run's id, folder or file: the base.")],
    b: Annotated[str, typer.Argument(help="The run to compare with it.")],
    force: Annotated[bool, typer.Option("--force", help="Compare runs of different environments.")] = False,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Compare two runs of the same environment, case by case, by their median latencies."""
    from tinyml.bench.comparison import compare_runs
    from tinyml.bench.runs import open_run
    from tinyml.bench.table import milliseconds
    from tinyml.workspace import Workspace

    out = Output(json=json)
    workspace = Workspace(results)
    comparison = compare_runs(open_run(a, workspace)[0], open_run(b, workspace)[0], force=force)
    out.table(
        f"{comparison.b} against {comparison.a}: ratio of the median latencies, below 1 is faster",
        [
            "model",
            "variant",
            "backend",
            "units",
            "a p50 ms",
            "b p50 ms",
            "ratio",
            "95% interval",
            "same model",
            "verdict",
        ],
        [
            [
                row.model,
                row.variant,
                row.backend,
                row.units,
                milliseconds(row.a_p50_ns),
                milliseconds(row.b_p50_ns),
                f"{row.ratio:.3f}",
                f"{row.low:.3f} to {row.high:.3f}",
                "yes" if row.same_artifact else "no",
                row.verdict,
            ]
            for row in comparison.rows
        ],
    )
    for line in (*comparison.warnings, *comparison.unmatched):
        out.line(line)
    out.document(comparison)


def _show(out: Output, run: BenchRun, folder: Path) -> None:
    from tinyml.bench.table import COLUMNS, table, title
    from tinyml.workspace import BENCH_RUN, REPORT_PAGE

    out.table(title(run), COLUMNS, table(run))
    out.document(run)
    out.line(f"report: {folder / REPORT_PAGE} (beside it report.md, results.csv, {BENCH_RUN})")
