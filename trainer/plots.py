"""Pictures of a training."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from tinyml.counting import counted
from tinyml.schema import History, LrRange, SweepTrial
from tinyml.store import atomic_file

LINES = ("-", "--", ":", "-.")
"""Where there are more names than colors."""


def plot_history(history: History, path: Path) -> None:
    """Writes a PNG with the loss, the accuracy and the learning rate by epoch to `path`."""
    # pyplot would start a window system; a figure with its own canvas needs none.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs = [record.epoch for record in history.epochs]
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    losses, accuracies, rates = figure.subplots(1, 3)
    style = {"marker": "o", "markersize": 3} if len(epochs) < 30 else {}

    losses.plot(epochs, [record.train_loss for record in history.epochs], label="training", **style)
    losses.plot(epochs, [record.val_loss for record in history.epochs], label="validation", **style)
    losses.set_title("Cross-entropy")
    losses.legend()

    known = [(r.epoch, 100 * r.train_accuracy) for r in history.epochs if r.train_accuracy is not None]
    if known:
        accuracies.plot(*zip(*known, strict=True), label="training", **style)
    validation = [100 * record.val_accuracy for record in history.epochs]
    accuracies.plot(epochs, validation, color="C1", label="validation", **style)
    best = max(range(len(epochs)), key=lambda i: validation[i])
    accuracies.plot(
        epochs[best], validation[best], "*", color="C1", markersize=11, label=f"best: {validation[best]:.1f} %"
    )
    accuracies.set_title("Top-1 accuracy, %")
    accuracies.legend()

    rates.plot(epochs, [record.lr for record in history.epochs], color="C2", **style)
    rates.set_title("Learning rate at the end of the epoch")

    for axes in (losses, accuracies, rates):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    config = history.config
    limited = f", {counted(config.limit, 'image')} an epoch" if config.limit else ""
    figure.suptitle(f"{config.model} on {config.data}, recipe {config.recipe}{limited}")
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


def plot_runs(runs: Sequence[tuple[str, History]], title: str, path: Path) -> None:
    """Writes a PNG with validation loss, accuracy and learning rate of several trainings by their minutes to `path`.

    Trainings of one name, as those that differ in their seed, have one color. One without an epoch is left out.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    losses, accuracies, rates = figure.subplots(1, 3)
    colors: dict[str, str] = {}
    longest = 0.0
    for name, history in runs:
        if not history.epochs:
            continue
        label = None if name in colors else name
        color = colors.setdefault(name, f"C{len(colors) % 10}")
        style = {"color": color, "marker": "o", "markersize": 3, "linestyle": LINES[list(colors).index(name) // 10 % 4]}
        minutes = [seconds / 60 for seconds in accumulate(record.seconds for record in history.epochs)]
        longest = max(longest, minutes[-1])
        losses.plot(minutes, [record.val_loss for record in history.epochs], **style)
        accuracies.plot(minutes, [100 * record.val_accuracy for record in history.epochs], label=label, **style)
        rates.plot(minutes, [record.lr for record in history.epochs], **style)
    losses.set_title("Validation cross-entropy")
    accuracies.set_title("Validation top-1, %")
    rates.set_title("Learning rate at the end of the epoch")
    for axes in (losses, accuracies, rates):
        axes.set_xlabel("minutes")
        if longest > 0:
            axes.set_xlim(0, 1.05 * longest)  # a training of one epoch is a point, and lies at its time
        axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3)
    figure.suptitle(title)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png")


def plot_lr_range(found: LrRange, path: Path) -> None:
    """Writes a PNG with the loss by learning rate to `path`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    rates = [point.lr for point in found.points]
    axes.plot(rates, [point.loss for point in found.points], color="C0", alpha=0.35, label="of a batch")
    axes.plot(rates, [point.smoothed_loss for point in found.points], color="C0", label="smoothed")
    if found.suggested_lr is not None:
        axes.axvline(found.suggested_lr, color="C1", linestyle="--", label=f"falls fastest: {found.suggested_lr:.2g}")
    smoothed = [point.smoothed_loss for point in found.points]
    axes.set_ylim(0.9 * min(smoothed), 1.6 * max(smoothed[: max(1, len(smoothed) // 2)]))
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss")
    axes.grid(alpha=0.3)
    axes.legend()
    config = found.config
    figure.suptitle(f"{config.model} on {config.data}, {config.optimizer}, batches of {config.batch_size}")
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def plot_search(trials: Sequence[SweepTrial], title: str, path: Path) -> None:
    """Writes a PNG with the accuracy of each learning rate and weight decay to `path`; crosses are failures."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    rates, decays = ([float(trial.option(name)) for trial in trials] for name in ("--lr", "--weight-decay"))
    ended = [at for at, trial in enumerate(trials) if trial.val_accuracy is not None]
    failed = [at for at, trial in enumerate(trials) if trial.val_accuracy is None]
    shown = axes.scatter(
        [rates[at] for at in ended],
        [decays[at] for at in ended],
        c=[100 * (trials[at].val_accuracy or 0.0) for at in ended],
        s=60,
    )
    axes.scatter([rates[at] for at in failed], [decays[at] for at in failed], marker="x", color="C3")
    figure.colorbar(shown, label="best validation accuracy, %")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("weight decay")
    axes.grid(alpha=0.3)
    figure.suptitle(title)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")
