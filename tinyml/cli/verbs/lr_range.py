"""`tinyml lr-range`: which learning rate a training can take."""

from __future__ import annotations

from typing import Annotated

import typer

from ..app import app
from ..options import RESULTS, Device, Json, Results
from ..output import Output

LEFT_OUT = {
    "budget": "--budget",
    "lr": "--lr",
    "resume": "--resume",
    "resume_from": "--resume-from",
    "run_name": "--run",
}
"""Options of `tinyml train` that mean nothing here."""


@app.command("lr-range", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lr_range(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="What to train; see: tinyml models")],
    first: Annotated[float, typer.Option("--from", help="The smallest rate.")] = 1e-5,
    last: Annotated[float, typer.Option("--to", help="The largest rate.")] = 10.0,
    steps: Annotated[int, typer.Option("--steps", help="Training steps, at least 20.")] = 100,
    device: Device = "auto",
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Try growing learning rates in one short training; other options as for tinyml train. With a picture."""
    from tinyml.errors import UsageError
    from tinyml.evaluation.teacher import open_teacher
    from tinyml.store import write_json
    from tinyml.trainer.architecture import architectures
    from tinyml.trainer.device import choose
    from tinyml.trainer.lr_range import lr_range as run
    from tinyml.trainer.plots import plot_lr_range
    from tinyml.trainer.prepare import prepare
    from tinyml.workspace import Workspace

    from ..wishes import train_parameters, wish_of

    architectures.get(model)
    out, chosen = Output(json=json), choose(device)
    given = train_parameters(model, context.args)
    for name, option in LEFT_OUT.items():
        if given[name]:
            raise UsageError(f"lr-range takes no {option}", value=given[name], hint="leave it out")
    ready = prepare(wish_of(given), chosen, out.progress, open_teacher=open_teacher)
    for line in ready.words:
        out.line(line)
    found = run(
        ready.config,
        ready.dataset,
        chosen,
        ready.objective,
        ready.start,
        first=first,
        last=last,
        steps=steps,
        progress=out.progress,
    )
    every = max(1, len(found.points) // 10)
    out.table(
        f"Learning rates of {model} on {ready.config.data}, {ready.config.optimizer}",
        ["learning rate", "loss", "smoothed loss"],
        [[f"{at.lr:.3g}", f"{at.loss:.4f}", f"{at.smoothed_loss:.4f}"] for at in found.points[::every]],
    )
    out.document(found)
    path = Workspace(results).new_lr_range(model, ready.config.recipe)
    write_json(path, found)
    picture = path.with_suffix(".png")
    plot_lr_range(found, picture)
    if found.suggested_lr is None:
        out.line(f"the loss never falls at any of these rates; the picture: {picture}")
    else:
        out.line(f"the loss falls fastest at a learning rate of {found.suggested_lr:.2g}; the picture: {picture}")
