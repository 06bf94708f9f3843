"""`tinyml bench`: measure every artifact, and read and import runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import EXIT_FAILED, EXIT_INTERRUPTED, app
from ..options import RESULTS, Json, Results, TrainedOn
from ..output import Output

if TYPE_CHECKING:
    from tinyml.schema import BenchRun

bench_app = typer.Typer(name="bench", help="Measure every exported artifact on every backend and compute unit.")
app.add_typer(bench_app)


@bench_app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    model: Annotated[list[str] | None, typer.Option("--model", help="Only this model; may be repeated.")] = None,
    variant: Annotated[list[str] | None, typer.Option("--variant", help="Only this variant; may be repeated.")] = None,
    backend: Annotated[list[str] | None, typer.Option("--backend", help="Only this backend; may be repeated.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A first look: few repeats, 200 images; marked as such.")
    ] = False,
    artifact: Annotated[
        list[Path] | None,
        typer.Option("--artifact", help="Instead: any .mlpackage or .onnx file; may be repeated.", metavar="FILE"),
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option("--inputs", help="The arrays for --artifact, by input; default: random ones.", metavar="FILE.npz"),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option("--device", help="On a connected iPhone or iPad: its name, UDID, iphone or ipad. Needs a Mac."),
    ] = None,
    repeats: Annotated[
        int | None, typer.Option("--repeats", help="At least so many measured predictions a case (1024).")
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="And for at least so long (10).")] = None,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", help="And for at most so long, which is flagged (300).")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option("--rounds", help="Fresh processes a case, in turn with the other cases (5).")
    ] = None,
    batch: Annotated[list[int] | None, typer.Option("--batch", help="Images at a time (1); may be repeated.")] = None,
    streams: Annotated[
        list[int] | None, typer.Option("--streams", help="Callers at the same time, for throughput (1); repeatable.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Test images for the accuracy.")] = None,
    data: TrainedOn = None,
    accuracy: Annotated[bool, typer.Option("--accuracy/--no-accuracy", help="Measure the accuracy as well.")] = True,
    threads: Annotated[
        list[int] | None, typer.Option("--threads", help="CPU threads; default: all usable cores; may be repeated.")
    ] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", help="Seconds after which a round has failed.")] = None,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Measure every exported artifact on every backend and compute unit."""
    if context.invoked_subcommand is not None:
        return
    from tinyml.bench.jobs import Selection, settings_of
    from tinyml.bench.runner import INTERRUPTED
    from tinyml.bench.runs import measure
    from tinyml.errors import UnavailableError, UsageError
    from tinyml.workspace import Workspace

    settings = settings_of(
        quick=quick,
        min_repeats=repeats,
        min_seconds=seconds,
        max_seconds=max_seconds,
        rounds=rounds,
        batches=tuple(batch or ()),
        streams=tuple(streams or ()),
        limit=limit,
        timeout_s=timeout,
        threads=tuple(threads or ()),
        # Each image would be a second's way there and back: accuracy is measured on the Mac itself.
        accuracy=accuracy and device is None,
        device=device,
        data=data,
    )
    out = Output(json=json)
    selection = Selection(models=tuple(model or ()), variants=tuple(variant or ()), backends=tuple(backend or ()))
    if inputs is not None and not artifact:
        raise UsageError("--inputs without --artifact", value=inputs, allowed="the arrays of a stranger's model")
    for option, given in (("--limit", limit), ("--data", data)):
        if given is not None and artifact:
            raise UsageError(f"{option} is for an accuracy, and a stranger's model has none", value=given)
    run, folder = measure(
        Workspace(results), selection, settings, files=artifact or (), inputs=inputs, progress=out.progress
    )
    _show(out, run, folder)
    if any(result.reason == INTERRUPTED or INTERRUPTED in result.flags for result in run.results):
        raise typer.Exit(EXIT_INTERRUPTED)
    if any(result.status == "failed" for result in run.results):
        raise typer.Exit(EXIT_FAILED)
    if all(result.status == "not_run" for result in run.results):
        reasons = dict.fromkeys(result.reason for result in run.results)
        raise UnavailableError("nothing was measured", value="; ".join(str(reason) for reason in reasons))


@bench_app.command("import")
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


@bench_app.command()
def show(
    run: Annotated[str | None, typer.Argument(help="A run's id, folder or file; default: the newest.")] = None,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Print a run's table, and write its reports again; those of a file that was not imported are not written."""
    from tinyml.bench.runs import rebuild
    from tinyml.workspace import Workspace

    out = Output(json=json)
    _show(out, *rebuild(run, Workspace(results)))


def _show(out: Output, run: BenchRun, folder: Path | None) -> None:
    from tinyml.bench.table import COLUMNS, table, title
    from tinyml.workspace import BENCH_RUN, REPORT_PAGE

    out.table(title(run), COLUMNS, table(run))
    out.document(run)
    if folder is not None:
        out.line(f"report: {folder / REPORT_PAGE} (beside it report.md, results.csv, {BENCH_RUN})")
