"""The training loop: from a configuration and a data set to checkpoints and a history.

On the CPU a run that was interrupted and resumed gives bitwise what an uninterrupted one gives, with the same number
of threads.

What may differ between trainings stands outside: where the network comes from (`start`), what is minimized
(`objective`), the batches (`data.batches`), what updates the weights (`learner`), and what is kept (`state`, `saver`).
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from tinyml.duration import duration
from tinyml.errors import TrainingError
from tinyml.machine import keep_freed_memory
from tinyml.progress import Progress, Silent
from tinyml.schema import History, TrainConfig
from tinyml.store import only_process
from tinyml.workspace import RunFolder, Workspace

from .data import Answers, Dataset, trained_labels
from .device import autocast
from .event_log import EventLog
from .memory import out_of_memory_told
from .objective import Objective, objective_of
from .plots import plot_history
from .signals import Interrupts
from .start import Scratch, Start
from .team import ALONE, Team, ended_told
from .training import Training

LOCK = ".training.lock"
_NONE = RunFolder(Path())


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """How a training ended; `interrupted`: it can be resumed from `state`."""

    history: History
    best: Path | None
    """The manifest of the best checkpoint; None: no epoch was completed."""
    state: Path
    interrupted: bool
    signal: int | None = None
    """Which signal interrupted it."""


def train(
    config: TrainConfig,
    dataset: Dataset,
    workspace: Workspace,
    *,
    device: torch.device,
    start: Start | None = None,
    objective: Objective | None = None,
    answers: Answers | None = None,
    progress: Progress | None = None,
    spent: float = 0.0,
    name: str | None = None,
    team: Team = ALONE,
    events: bool = False,
    begins: Callable[[RunFolder], None] | None = None,
) -> TrainResult:
    """Trains a network and writes checkpoints, history and its plot to a folder of its own in `workspace`.

    Ctrl-C and SIGTERM end it after the current step, with everything saved that resuming needs.

    Args:
        config: Everything that decides the run.
        dataset: Its "train" split is trained on, its "val" split chooses the best checkpoint; "test" is not touched.
        workspace: Where results go; earlier trainings there stay as they are.
        device: Where to compute.
        start: Where the network comes from; None: from scratch.
        objective: What is minimized; None: what `config` says, which must then name no teacher.
        answers: A teacher's, where they are stored.
        progress: Told of every batch and epoch.
        spent: Seconds of the configuration's budget that are gone before this call.
        name: What the training is called; None: as its recipe, with a number.
        events: Whether TensorBoard's files are written as well.
        team: The processes that compute parts of each batch; all of them make this call, the first one writes.
        begins: Told the folder once nothing refuses the training any more, before its first step.

    Raises:
        TrainingError: The loss is not finite, memory ran out, there are no images to train on, another process trains
            in that folder, or another training lies there.
        UsageError: `config` or the data are not those of the run to resume, or a batch cannot be split over the team.
        UnavailableError: The device lacks the precision asked for.
        CheckpointError: The state cannot be read, or the results not be written.
    """
    keep_freed_memory()
    with autocast(device, config.precision):
        pass  # refuses a precision that the device lacks before anything is written
    start = start or Scratch()
    folder, made = team.decide(_folder(workspace, config, start, name) if team.first else (_NONE, False))

    def training() -> Training:
        return Training(
            config=config,
            dataset=dataset,
            folder=folder,
            device=device,
            start=start,
            objective=objective or objective_of(config, trained_labels(dataset, config), len(dataset.index.labels)),
            answers=answers,
            progress=progress or Silent(),
            spent=spent,
            team=team,
        )

    if not team.first:
        return _trained(training())
    try:
        with only_process(folder.path / LOCK) as alone:
            if not alone:
                raise TrainingError(
                    "another process is training there",
                    value=folder.path,
                    hint="wait for it, or give this training another name with --run",
                )
            return _trained(training(), events=events, begins=begins)
    finally:
        if made:
            _remove_empty(folder)


def _folder(workspace: Workspace, config: TrainConfig, start: Start, name: str | None) -> tuple[RunFolder, bool]:
    """The folder of the training, and whether it was made for it."""
    if (known := start.folder()) is not None:
        return known, False
    if name is None:
        return workspace.new_run(config.model, config.recipe), True
    folder = workspace.run(config.model, name)
    killed = (folder.path / LOCK).exists()  # before its first state was whole: nothing can be resumed there
    if folder.state.exists() or (folder.history.exists() and not killed):
        raise TrainingError(
            "a training of that name lies there already",
            value=folder.path,
            hint="choose another name, or go on with it: --resume",
        )
    there = folder.path.exists()
    folder.path.mkdir(parents=True, exist_ok=True)
    return folder, not there


def _remove_empty(folder: RunFolder) -> None:
    """Removes what a training leaves that ended before its first save."""
    for path in (folder.checkpoints, folder.path, folder.path.parent, folder.path.parent.parent):
        with contextlib.suppress(OSError):
            path.rmdir()


def _trained(
    training: Training, *, events: bool = False, begins: Callable[[RunFolder], None] | None = None
) -> TrainResult:
    folder, team = training.folder, training.team
    if begins is not None:
        begins(folder)
    interrupted = False
    log = EventLog(folder.events, training.records) if events else None
    told = out_of_memory_told(training.config.batch_size)
    with Interrupts(team).installed() as interrupts, told, ended_told():
        try:
            while not training.over or training.unjudged:
                training.train_epoch(interrupts)
                began = time.monotonic()
                metrics = training.validate()
                with interrupts.held():
                    training.finish_epoch(metrics)
                    if log is not None:
                        log.add(training.records[-1])
                training.pace.validated(time.monotonic() - began)
        except KeyboardInterrupt:
            interrupted = True
            with interrupts.shielded():
                training.save_interrupted()
    if log is not None:
        log.close()
    history = training.history()
    if not (history.epochs or interrupted):
        raise TrainingError(
            "no step was made: the time was gone before the first one",
            value="none" if training.config.budget is None else duration(training.config.budget.seconds),
            hint="give a longer --budget",
        )
    if history.epochs and team.first:
        plot_history(history, folder.history_plot)
    return TrainResult(
        history=history,
        best=folder.best if training.best is not None else None,
        state=folder.state,
        interrupted=interrupted,
        signal=(interrupts.number or signal.SIGINT) if interrupted else None,
    )
