"""`tinyml tune`: the learning rate and weight decay that train best."""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml.seeds import LARGEST_SEED

from ..app import app
from ..options import RESULTS, Json, Results
from ..output import Output


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def tune(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="What to train; see: tinyml models")],
    trials: Annotated[int, typer.Option("--trials", help="Trainings.", min=1)] = 20,
    lr: Annotated[
        str | None, typer.Option("--lr", help="LOW:HIGH; if left out, around the recipe's.", metavar="RANGE")
    ] = None,
    weight_decay: Annotated[
        str | None, typer.Option("--weight-decay", help="LOW:HIGH; if left out, around the recipe's.", metavar="RANGE")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Of the search; the same name goes on with it.")] = "tune",
    recipe: Annotated[str, typer.Option("--recipe", help="See: tinyml recipes")] = "best",
    seed: Annotated[int, typer.Option("--seed", help="Of the search and its trainings.", min=0, max=LARGEST_SEED)] = 0,
    data: Annotated[str, typer.Option("--data", help="As for tinyml train.")] = "tiny-imagenet",
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Search learning rate and weight decay with Optuna; other options go to every training. Resumable."""
    from tinyml.commands import command
    from tinyml.trainer.architecture import architectures
    from tinyml.trainer.plots import plot_search
    from tinyml.trainer.prepare import configured
    from tinyml.trainer.recipe import recipes
    from tinyml.trainer.sweep import sweep_file
    from tinyml.trainer.transfer import read_foreign
    from tinyml.trainer.tuning import check_available, range_of, ranges_of
    from tinyml.trainer.tuning import tune as run
    from tinyml.workspace import Workspace

    from ..wishes import train_parameters, wish_of

    architectures.get(model)
    recipes.get(recipe)
    check_available()
    out, workspace = Output(json=json), Workspace(results)
    workspace.run(model, name)  # refuses a name that is none
    texts = {"lr": ("--lr", lr), "weight_decay": ("--weight-decay", weight_decay)}
    given = {key: range_of(option, text) for key, (option, text) in texts.items() if text is not None}
    wish = wish_of(train_parameters(model, [*context.args, "--recipe", recipe]))
    config = configured(wish, None if wish.init is None else read_foreign(wish.init))
    # Each training is given a rate, with which a recipe would not choose an optimizer by its length any more.
    options = [*context.args, *(() if "optimizer" in wish.changes else ("--optimizer", config.optimizer))]
    found = run(
        name,
        model,
        recipe,
        ranges_of(config, given),
        trials,
        workspace,
        data=data,
        seed=seed,
        options=options,
        progress=out.progress,
    )
    picture = sweep_file(workspace, name).with_name(f"{model}-{recipe}.png")
    plot_search(found, f"{model} by recipe {recipe}, {config.optimizer}, on {data}", picture)
    out.table(
        f"Search {name}: {model} by recipe {recipe}, {config.optimizer}, on {data}, best validation accuracy",
        ["trial", "learning rate", "weight decay", "top-1", "epochs", "seconds"],
        [
            [
                trial.variant,
                trial.option("--lr"),
                trial.option("--weight-decay"),
                f"{trial.val_accuracy:.2%}" if trial.val_accuracy is not None else "failed",
                str(trial.epochs),
                f"{trial.seconds:,.0f}",
            ]
            for trial in found
        ],
    )
    out.document(list(found))
    out.line(f"the picture: {picture}")
    best = found[0].options
    out.line(f"the best: {command('train', model, '--data', data, '--recipe', recipe, *best, results=results)}")
