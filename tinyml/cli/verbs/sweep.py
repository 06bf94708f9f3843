"""`tinyml sweep`: models, recipes, options and seeds, and one table of what they reach."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..app import EXIT_FAILED, app
from ..output import Output


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sweep(
    context: typer.Context,
    models: Annotated[str, typer.Option("--models", help="Separated by commas; see: tinyml models")],
    name: Annotated[str, typer.Option("--name", help="Of the sweep; the same name goes on with it.")] = "sweep",
    recipes: Annotated[str, typer.Option("--recipes", help="Separated by commas; see: tinyml recipes")] = "best",
    variant: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            help="NAME='OPTIONS' of tinyml train, as old='--recipe reference'; repeatable.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Trainings of each, with the seeds 0, 1, ...", min=1)] = 3,
    on: Annotated[str, typer.Option("--on", help="here: one after the other; ray: on a Ray cluster.")] = "here",
    cpus: Annotated[float, typer.Option("--cpus-per-trial", help="For --on ray.", min=0)] = 1,
    gpus: Annotated[float, typer.Option("--gpus-per-trial", help="For --on ray.", min=0)] = 0,
    data: Annotated[str, typer.Option("--data", help="As for tinyml train.")] = "tiny-imagenet",
    results: Annotated[Path, typer.Option("--results", help="Folder of results.")] = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Train every combination; other options go to every training. Started again, it goes on."""
    from tinyml.errors import UsageError
    from tinyml.trainer.architecture import architectures
    from tinyml.trainer.recipe import recipes as known
    from tinyml.trainer.sweep import curves, rows, trials
    from tinyml.trainer.sweep import sweep as run
    from tinyml.trainer.workers import workers_named
    from tinyml.workspace import Workspace

    from ..wishes import train_parameters

    out = Output(json=json)
    chosen, by = models.split(","), recipes.split(",")
    for part in chosen:
        architectures.get(part)
    for part in by:
        known.get(part)
    variants: dict[str, tuple[str, ...]] = {}
    for text in variant or []:
        key, options = _variant(text)
        if key in variants:
            raise UsageError("--variant: a name given twice", value=key, allowed="each name once")
        variants[key] = options
    for each, options in itertools.product(chosen, (variants or {"": ()}).values()):
        train_parameters(each, [*context.args, *options])  # refused once, and not by every training
    workers = workers_named(on, cpus=cpus, gpus=gpus)
    workspace = Workspace(results)
    for model in chosen:
        workspace.run(model, name)  # refuses a name that is none
    wanted = trials(name, chosen, by, variants or {"": ()}, seeds)
    for trial in wanted:
        workspace.run(trial.model, trial.run)  # too long together
    made = run(
        name,
        wanted,
        workspace,
        data=data,
        options=context.args,
        workers=workers,
        progress=out.progress,
    )
    table = [
        [
            row.model,
            row.recipe,
            row.variant or "-",
            str(row.seeds),
            f"{row.mean:.2%}" if row.mean is not None else "failed",
            f"±{100 * row.half_width:.2f}" if row.half_width is not None else "-",
            f"{row.seconds:,.0f}",
        ]
        for row in rows(made)
    ]
    out.table(
        f"Sweep {name} on {data}: best validation accuracy, mean and 95% interval",
        ["model", "recipe", "variant", "seeds", "top-1", "interval, points", "seconds"],
        table,
    )
    out.document(made)
    if (picture := curves(made, workspace)) is not None:
        out.line(f"curves: {picture}")
    if any(trial.status == "failed" for trial in made.trials):
        raise typer.Exit(EXIT_FAILED)


def _variant(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the options of a `--variant`; raises UsageError, saying one as a shell takes it."""
    from tinyml.errors import UsageError

    allowed = f"NAME='OPTIONS', as {shlex.join(('--variant', 'large=--lr 0.2'))}"
    name, sign, options = text.partition("=")
    if not (sign and name):
        raise UsageError("--variant lacks its name", value=text, allowed=allowed)
    if not re.fullmatch(r"[\w.+-]+", name):
        raise UsageError(
            "--variant has a name that no folder can have",
            value=name,
            allowed=f"letters, digits, '-', '_', '.' and '+' in {allowed}",
        )
    try:
        return name, tuple(shlex.split(options))
    except ValueError as error:
        raise UsageError(f"--variant has options that no shell takes ({error})", value=text, allowed=allowed) from None
