"""`tinyml recipes`: what each recipe sets."""

from __future__ import annotations

from typing import Annotated

import typer

from ..app import app
from ..output import Output


@app.command()
def recipes(
    model: Annotated[str | None, typer.Argument(help="For which model; left out: what there is.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="For a training of so many epochs.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """List the recipes, or everything that they set for a model and a length."""
    import inspect

    from tinyml.trainer.recipe import configure, option
    from tinyml.trainer.recipe import recipes as known

    out = Output(json=json)
    if model is None:
        listed = [(name, (inspect.getdoc(recipe.make) or "").splitlines()[0]) for name, recipe in known.items()]
        out.table("Recipes", ["name", "is"], [list(row) for row in listed])
        out.document([{"name": name, "is": text} for name, text in listed])
        return
    changes = {} if epochs is None else {"epochs": epochs}
    configs = {name: configure(name, model, "tiny-imagenet", changes) for name in known}
    settings = {
        name: config.model_dump(exclude={"model", "recipe", "data", "budget", "init", "teacher"})
        for name, config in configs.items()
    }
    for name, values in settings.items():
        if known.get(name).quicker_precision:
            values["precision"] = "fp32 or bf16, the quicker"
    fields = next(iter(settings.values()))
    out.table(
        f"Recipes for {model}",
        ["option", *settings],
        [[option(field), *(_shown(values[field]) for values in settings.values())] for field in fields],
    )
    out.document([{"name": name, "config": config.model_dump(mode="json")} for name, config in configs.items()])


def _shown(value: object) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
