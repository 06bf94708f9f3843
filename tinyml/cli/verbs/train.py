"""`tinyml train`: a model on a data set, to the best checkpoint of it."""

# ruff: noqa: ARG001 (the options that are fields of TrainConfig are read from the context, by name)

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..app import EXIT_FAILED, app
from ..options import RESULTS, Device, Json, Results
from ..output import Output

if TYPE_CHECKING:
    from tinyml.schema import TrainConfig
    from tinyml.trainer.loop import TrainResult
    from tinyml.workspace import RunFolder, Workspace


@app.command()
def train(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="What to train; see: tinyml models")],
    data: Annotated[
        str | None, typer.Option("--data", help="tiny-imagenet (the default), shapes, or a folder of images.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="reference (the default), best or demo: where options come from.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", help="Train for so long, as 45m or 2h, by the recipe best.")
    ] = None,
    resolution: Annotated[
        str | None, typer.Option("--resolution", help="Growing sizes of the training images: 32:64 or 32:48:64.")
    ] = None,
    full_size_share: Annotated[
        float | None, typer.Option("--full-size-share", help="Of the epochs, at the last of these sizes.")
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", help="Epochs to train. reference: 50.")] = None,
    total_epochs: Annotated[
        int | None, typer.Option("--total-epochs", help="Length of the schedule, for a training in parts.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Images a step. reference: 128.")] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Learning rate. reference: 0.1.")] = None,
    weight_decay: Annotated[float | None, typer.Option("--weight-decay", help="reference: 0.001.")] = None,
    momentum: Annotated[float | None, typer.Option("--momentum", help="Not of Adam: reference: 0.9.")] = None,
    optimizer: Annotated[str | None, typer.Option("--optimizer", help="sgd, muon, adam, adamw or rmsprop.")] = None,
    scheduler: Annotated[str | None, typer.Option("--scheduler", help="cosine, linear or none.")] = None,
    warmup_epochs: Annotated[float | None, typer.Option("--warmup-epochs", help="Epochs of linear warm-up.")] = None,
    warmup_start_lr: Annotated[float | None, typer.Option("--warmup-start-lr", help="Where it starts.")] = None,
    mixup_cutmix_alpha: Annotated[
        float | None, typer.Option("--mixup-cutmix-alpha", help="Sets --mixup-alpha and --cutmix-alpha; 0: off.")
    ] = None,
    mixup_alpha: Annotated[float | None, typer.Option("--mixup-alpha", help="Of MixUp; 0: off.")] = None,
    cutmix_alpha: Annotated[float | None, typer.Option("--cutmix-alpha", help="Of CutMix; 0: off.")] = None,
    mix_probability: Annotated[
        float | None, typer.Option("--mix-probability", help="How often a batch is mixed, 0 to 1.")
    ] = None,
    mix_off_epochs: Annotated[
        float | None, typer.Option("--mix-off-epochs", help="Epochs at the end without mixing.")
    ] = None,
    label_smoothing: Annotated[float | None, typer.Option("--label-smoothing", help="0 to below 1.")] = None,
    crop_padding: Annotated[int | None, typer.Option("--crop-padding", help="Pixels; 0: no random crop.")] = None,
    flip: Annotated[bool | None, typer.Option("--flip/--no-flip", help="Mirror half of the images.")] = None,
    alternate_flip: Annotated[
        bool | None, typer.Option("--alternate-flip/--no-alternate-flip", help="Mirror each in every second epoch.")
    ] = None,
    rotation_degrees: Annotated[
        float | None, typer.Option("--rotation-degrees", help="Largest angle; 0: none.")
    ] = None,
    color_jitter: Annotated[float | None, typer.Option("--color-jitter", help="Strength, 0 to 1.")] = None,
    policy: Annotated[str | None, typer.Option("--policy", help="trivial or rand: an augmentation policy.")] = None,
    erasing: Annotated[float | None, typer.Option("--erasing", help="How often a patch is erased, 0 to 1.")] = None,
    dropout: Annotated[float | None, typer.Option("--dropout", help="The model's own if left out.")] = None,
    drop_path: Annotated[float | None, typer.Option("--drop-path", help="Of networks with residual branches.")] = None,
    clip_norm: Annotated[float | None, typer.Option("--clip-norm", help="Largest norm of the gradient.")] = None,
    ema_decay: Annotated[float | None, typer.Option("--ema-decay", help="Average the weights: 0.9995.")] = None,
    accumulate: Annotated[
        int | None, typer.Option("--accumulate", help="Parts in which a batch is computed; as memory asks if left out.")
    ] = None,
    recompute: Annotated[
        bool | None,
        typer.Option("--recompute/--no-recompute", help="densenet: activations twice instead of kept; as memory asks."),
    ] = None,
    compiled: Annotated[
        bool | None, typer.Option("--compile/--no-compile", help="Compile the network: slow to begin; not on MPS.")
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option("--init", help="Begin with these weights as far as they fit: a checkpoint, or any .safetensors."),
    ] = None,
    whiten: Annotated[
        bool | None, typer.Option("--whiten/--no-whiten", help="Begin with a first layer that whitens the images.")
    ] = None,
    freeze: Annotated[
        list[str] | None,
        typer.Option("--freeze", help="A layer that is not trained, with all below it; repeatable.", metavar="NAME"),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(
            "--teacher", help="A checkpoint, .mlpackage, .onnx or .aimodel whose answers are learned as well."
        ),
    ] = None,
    distill_share: Annotated[
        float | None, typer.Option("--distill-share", help="Of the teacher in the loss, 0 to 1. 0.9 if left out.")
    ] = None,
    distill_temperature: Annotated[
        float | None, typer.Option("--distill-temperature", help="Of the teacher's answers. 4 if left out.")
    ] = None,
    class_weights: Annotated[
        str | None, typer.Option("--class-weights", help="balanced: rare classes count more in the loss; none.")
    ] = None,
    shots: Annotated[
        int | None, typer.Option("--shots", help="Training images of each class; all if left out.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option("--patience", help="Stop after so many epochs without a better validation accuracy.")
    ] = None,
    precision: Annotated[str | None, typer.Option("--precision", help="fp32, bf16 or fp16.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of everything random.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", help="Images an epoch, and of the validation: a first look.")
    ] = None,
    validate_images: Annotated[
        int | None, typer.Option("--validate-images", help="Images of each validation; all if left out.")
    ] = None,
    save_every: Annotated[int | None, typer.Option("--save-every", help="Epochs between kept checkpoints.")] = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's files as well, beside the history.")
    ] = False,
    device: Device = "auto",
    run_name: Annotated[
        str | None, typer.Option("--run", help="What the training is called; its recipe and a number if left out.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the model's newest training, or with --run.")
    ] = False,
    resume_from: Annotated[
        Path | None, typer.Option("--resume-from", help="Go on with the one in this file.", show_default=False)
    ] = None,
    results: Results = RESULTS,
    json: Json = False,
) -> None:
    """Train a model: checkpoints and history go to RESULTS/MODEL/runs/RUN. Options left out come from the recipe."""
    from tinyml.evaluation.teacher import open_teacher
    from tinyml.trainer.architecture import architectures
    from tinyml.trainer.device import choose, device_name
    from tinyml.trainer.event_log import check_available
    from tinyml.trainer.loop import train as run
    from tinyml.trainer.prepare import prepare, prepare_together
    from tinyml.trainer.team import LeftOutError, joined
    from tinyml.workspace import Workspace

    from ..wishes import wish_of

    architectures.get(model)
    if tensorboard:
        check_available()
    workspace = Workspace(results)
    state = resume_from
    if resume and state is None:
        state = workspace.newest_state(model) if run_name is None else workspace.run(model, run_name).state
    wish = wish_of(context.params, state)
    with joined(choose(device)) as (team, chosen):
        out = Output(json=json, silent=not team.first)
        try:
            ready = prepare_together(
                team,
                lambda decided: prepare(
                    wish, chosen, out.progress, open_teacher=open_teacher, decided=decided, team=team
                ),
            )
        except LeftOutError:
            raise typer.Exit(EXIT_FAILED) from None

        def announce(folder: RunFolder) -> None:
            for line in (*ready.words, _announcement(ready.config, folder, device_name(chosen), state, team.size)):
                out.line(line)

        result = run(
            ready.config,
            ready.dataset,
            workspace,
            device=chosen,
            start=ready.start,
            objective=ready.objective,
            answers=ready.answers,
            progress=out.progress,
            spent=ready.spent,
            name=run_name,
            team=team,
            events=tensorboard,
            begins=announce,
        )
    _report(result, workspace, out)
    if tensorboard and result.best is not None:
        out.line(f"curves: tensorboard --logdir {workspace.root}")
    if result.signal is not None:
        raise typer.Exit(128 + result.signal)


def _announcement(config: TrainConfig, folder: RunFolder, device: str, state: Path | None, processes: int) -> str:
    from tinyml.counting import counted
    from tinyml.duration import duration

    limited = f", {counted(config.limit, 'image')} an epoch" if config.limit else ""
    length = counted(config.epochs, "epoch") if config.budget is None else duration(config.budget.seconds)
    together = f", {processes} processes" if processes > 1 else ""
    begin = f"resuming {state}: training" if state else "training"
    return (
        f"{begin} {config.model} on {config.data} by recipe {config.recipe}, {length}{limited}, "
        f"on {device}{together}; results go to {folder.path}/"
    )


def _of_the_best(manifest: Path) -> str:
    from tinyml.confidence import top1_told
    from tinyml.counting import counted
    from tinyml.workspace import read_checkpoint

    metrics = next(m for m in read_checkpoint(manifest)[0].metrics if m.split == "val")
    return f"{top1_told(metrics)} on {counted(metrics.images, 'image')}"


def _report(result: TrainResult, workspace: Workspace, out: Output) -> None:
    from tinyml.commands import command
    from tinyml.counting import counted

    history, config = result.history, result.history.config
    out.document(history)
    if result.best is not None:
        best = max(history.epochs, key=lambda record: record.val_accuracy)
        memory = history.memory
        rows = [
            [
                "epochs",
                f"{len(history.epochs)}{f' of {config.epochs}' if result.interrupted and not config.budget else ''}",
            ],
            ["best validation accuracy", f"{_of_the_best(result.best)}, epoch {best.epoch}"],
            ["checkpoint", str(result.best)],
            ["time", f"{sum(record.seconds for record in history.epochs):.1f} s"],
        ]
        if memory is not None:
            rows.append(["peak memory, process", f"{memory.process_bytes / 2**20:,.0f} MiB"])
            if memory.device_bytes is not None:
                rows.append(["peak memory, device", f"{memory.device_bytes / 2**20:,.0f} MiB"])
        if config.limit is not None:
            rows.append(["limited to", f"{counted(config.limit, 'image')} an epoch: a first look"])
        out.table(f"{config.model} on {config.data}", ["what", "value"], rows)
    if result.interrupted:
        # By its name: another training may be the newest by then.
        name = result.state.parent.parent.name
        there = result.state == workspace.run(config.model, name).state
        which = ("--run", name, "--resume") if there else ("--resume-from", result.state)
        again = command("train", config.model, *which, results=workspace.root)
        out.line(f"interrupted and saved; to go on: {again}")
    else:
        out.line(f"next: {command('export', results=workspace.root)}")
