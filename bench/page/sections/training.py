"""How each network was trained: its curves and what it took."""

from __future__ import annotations

from ..figures import Figure
from ..project import Project
from ..section import Content, sections


@sections.register("training")
def training(project: Project, _: list[Figure]) -> Content | None:
    """One curve a training run, and a row of what it was."""
    runs = [kept for kept in project.histories if kept.record.epochs]
    if not runs:
        return None
    names = [f"{kept.record.config.model} ({kept.path.parent.name})" for kept in runs]
    curves = [
        {
            "name": name,
            "model": kept.record.config.model,
            "epochs": [
                {
                    "epoch": epoch.epoch,
                    "seconds": sum(e.seconds for e in kept.record.epochs[: n + 1]),
                    "val_accuracy": epoch.val_accuracy * 100,
                    "val_loss": epoch.val_loss,
                    "train_loss": epoch.train_loss,
                    "lr": epoch.lr,
                }
                for n, epoch in enumerate(kept.record.epochs)
            ],
        }
        for name, kept in zip(names, runs, strict=True)
    ]
    table = [
        (
            name,
            kept.record.config.recipe,
            kept.record.config.data,
            str(len(kept.record.epochs)),
            f"{max(e.val_accuracy for e in kept.record.epochs) * 100:.2f}",
            f"{sum(e.seconds for e in kept.record.epochs) / 60:,.1f}",
            kept.record.device,
            kept.record.provenance.command,
        )
        for name, kept in zip(names, runs, strict=True)
    ]
    return Content(place=30, title="Training", template="training.html", values={"curves": curves, "table": table})
