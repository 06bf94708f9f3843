"""The training loop: from a configuration and a data set to checkpoints and a history.

On the CPU a run that was interrupted and resumed gives bitwise what an uninterrupted one gives, with the same number
of threads.

What may differ between trainings stands outside: where the network comes from (`start`), what is minimized
(`objective`), the batches (`data.batches`), what updates the weights (`learner`), and what is kept (`state`, `saver`).
"""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from tinyml.counting import counted
from tinyml.errors import TrainingError, UsageError
from tinyml.machine import keep_freed_memory
from tinyml.progress import Progress, Silent
from tinyml.schema import EpochRecord, History, MemoryPeak, Metrics, TrainConfig
from tinyml.store import only_process, provenance
from tinyml.workspace import RunFolder, Workspace

from . import checkpoint
from .data import Answers, Dataset, TrainBatches
from .device import autocast, device_name
from .duration import duration
from .early_stopping import stopped_early
from .estimate import FirstEstimate
from .event_log import EventLog
from .learner import Learner
from .memory import MemoryMeter, out_of_memory_told
from .objective import Objective, objective_of
from .pace import Counted, Led, Pace, Timed
from .plots import plot_history
from .saver import Elsewhere, SaveDue, Saver
from .schedule import learning_rate
from .signals import Interrupts
from .start import Scratch, Start
from .state import Generators, Parts, Position, SavedState, check_continues
from .tally import Tally
from .team import ALONE, Team, ended_told
from .validation import validate, validated_images
from .whitening import whiten

LOCK = ".training.lock"
_NONE = RunFolder(Path())

CPU_CHECK_STEPS, ACCELERATOR_CHECK_STEPS = 1, 20
"""Reading the loss makes an accelerator wait, so there it is looked at once in so many steps."""


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
    if not team.first:
        return _trained(config, dataset, folder, device, start, objective, answers, progress, spent, team, events=False)
    try:
        with only_process(folder.path / LOCK) as alone:
            if not alone:
                raise TrainingError(
                    "another process is training there",
                    value=folder.path,
                    hint="wait for it, or give this training another name with --run",
                )
            return _trained(
                config,
                dataset,
                folder,
                device,
                start,
                objective,
                answers,
                progress,
                spent,
                team,
                events=events,
                begins=begins,
            )
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
    config: TrainConfig,
    dataset: Dataset,
    folder: RunFolder,
    device: torch.device,
    start: Start,
    objective: Objective | None,
    answers: Answers | None,
    progress: Progress | None,
    spent: float,
    team: Team,
    *,
    events: bool,
    begins: Callable[[RunFolder], None] | None = None,
) -> TrainResult:
    run = _Run(
        config,
        dataset,
        folder,
        device,
        start,
        objective or objective_of(config, dataset.split("train").labels, len(dataset.index.labels)),
        answers,
        progress or Silent(),
        spent,
        team,
    )
    if begins is not None:
        begins(folder)
    interrupted = False
    log = EventLog(folder.events, run.records) if events else None
    with Interrupts(team).installed() as interrupts, out_of_memory_told(config.batch_size), ended_told():
        try:
            while not run.over:
                run.train_epoch(interrupts)
                began = time.monotonic()
                metrics = run.validate()
                with interrupts.held():
                    run.finish_epoch(metrics)
                    if log is not None:
                        log.add(run.records[-1])
                run.pace.validated(time.monotonic() - began)
        except KeyboardInterrupt:
            interrupted = True
            with interrupts.shielded():
                run.save_interrupted()
    if log is not None:
        log.close()
    history = run.history()
    if history.epochs and team.first:
        plot_history(history, folder.history_plot)
    return TrainResult(
        history=history,
        best=folder.best if history.epochs else None,
        state=folder.state,
        interrupted=interrupted,
        signal=(interrupts.number or signal.SIGINT) if interrupted else None,
    )


class _Run:
    """One training: what learns, and how far it has come."""

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        folder: RunFolder,
        device: torch.device,
        start: Start,
        objective: Objective,
        answers: Answers | None,
        progress: Progress,
        spent: float,
        team: Team,
    ) -> None:
        self.team = team
        self.config, self.dataset, self.device, self.progress = config, dataset, device, progress
        index, split = dataset.index, dataset.split("train")
        if len(split) == 0:
            raise TrainingError("the data set has no training images", value=config.data)
        self.batches = TrainBatches(split, config, index.preprocess, len(index.labels), device, answers=answers)
        if self.batches.batch_size % team.size:
            raise UsageError(
                f"a batch cannot be split over {team.size} processes",
                value=self.batches.batch_size,
                allowed=f"--batch-size a multiple of {team.size}",
            )
        network = start.network(config, index.labels)
        if config.whiten and start.saved() is None:
            whiten(network, split, index.preprocess)
        self.learner = Learner(network, objective, config, device, team)
        self.spec = checkpoint.spec_of(config.model, self.learner.network, index.labels, index.preprocess)
        self.saver = Saver(folder, config, self.spec, dataset) if team.first else Elsewhere()
        self.meter = MemoryMeter(device)
        self.tally = Tally(device, team)
        self.records: list[EpochRecord] = []
        self.epoch = 0
        self.lr: float | None = None  # of this process' last update
        self.best: float | None = None
        self.earlier_memory: MemoryPeak | None = None
        self.seconds_trained = 0.0  # of the epoch under way, without its validation
        self.save_due = SaveDue()
        if (saved := start.saved()) is not None:
            self._resume(saved)
            spent += saved.position.spent
        steps = len(self.batches)
        self.estimate = FirstEstimate(config, steps, self.batches.batch_size, validated_images(config, dataset))
        self.pace: Pace = (
            Counted(config, steps) if config.budget is None else Timed(config, config.budget, steps, spent)
        )
        if team.size > 1:
            self.pace = Led(self.pace, team)
            if not team.first:  # each drops other values; a resumed training finds those of the first again
                torch.manual_seed(config.seed + team.rank * (1 + self.steps_done))

    @property
    def steps_done(self) -> int:
        """The steps of the whole training so far."""
        return self.epoch * len(self.batches) + self.tally.step

    @property
    def over(self) -> bool:
        """Whether nothing is left to train."""
        return self.pace.over(self.steps_done) or self.stopped_early

    @property
    def stopped_early(self) -> bool:
        """Whether the validation accuracy has stood still for as long as the configuration has patience."""
        return stopped_early(self.records, self.config.patience)

    @property
    def _parts(self) -> Parts:
        return {**self.learner.parts, "generator": Generators(self.device), "run": self.tally}

    def _resume(self, saved: SavedState) -> None:
        position = saved.position
        check_continues(position, self.config, self.dataset)
        saved.restore(self._parts)
        self.epoch, self.best, self.records = position.epoch, position.best, list(position.records)
        self.earlier_memory = position.memory
        self.tally.resume(position)

    def train_epoch(self, interrupts: Interrupts) -> None:
        """Trains the rest of the current epoch."""
        tally, steps = self.tally, len(self.batches)
        check_every = CPU_CHECK_STEPS if self.device.type == "cpu" else ACCELERATOR_CHECK_STEPS
        self.progress.start(f"epoch {self._of(self.epoch + 1)}", steps * self.batches.batch_size, "images")
        if tally.images:
            self.progress.advance(tally.images)
        self.learner.begin()
        tally.start_clock()
        shown = ""
        for batch in self.batches.epoch(self.epoch + 1, tally.step, self.pace):
            with interrupts.held():
                lr = learning_rate(self.config, self.pace.at(self.steps_done), steps)
                check = (tally.step + 1) % check_every == 0 or tally.step + 1 == steps
                part = batch.part_of(self.team.rank, self.team.size)
                answer = self.learner.answer(part)
                if check and not math.isfinite(value := answer.loss.item()):
                    raise self._diverged(value)
                self.learner.learn(lr)
                tally.add(answer.loss, answer.logits, part)
                self.meter.sample()
                if check:
                    shown = f"loss {tally.loss:.3f}  lr {lr:.2g}{self._to_go()}"
                self.lr = lr
                if self.team.decide(self.save_due.now()):
                    self._save_unfinished()
            self.progress.advance(len(batch), shown)
            if self.over:
                break
            if not self.records and (told := self.estimate.after(tally.step, tally.seconds)) is not None:
                self.progress.say(told)
        self.progress.finish()
        tally.gather()
        self.seconds_trained = tally.seconds

    def validate(self) -> Metrics:
        """Accuracy and loss on the validation split; a limit on the images of an epoch holds for it as well."""
        metrics = validate(
            self.learner.result,
            self.spec,
            self.dataset,
            self.config,
            self.device,
            progress=self.progress,
            team=self.team if self.team.size > 1 else None,
        )
        if metrics.loss is None or not self.tally.finite:
            raise self._diverged(math.nan)
        return metrics

    def finish_epoch(self, metrics: Metrics) -> None:
        """Records a completed epoch, and saves: checkpoints first, the state to resume from last."""
        record = self._record(metrics)
        self.records.append(record)
        self.epoch += 1
        self.tally.begin()
        self.save_due.reset()
        best = self.best is None or metrics.top1 > self.best
        if best:
            self.best = metrics.top1
        self.saver.checkpoints(self.learner.result, self.epoch, metrics, best=best)
        self._save_progress()
        self.progress.say(
            f"epoch {self._of(record.epoch)}: loss {record.train_loss:.3f}, "
            f"validation accuracy {record.val_accuracy:.2%}{' (best)' if best else ''}, "
            f"{record.images_per_second:,.0f} images/s, {record.seconds:.1f} s"
        )
        if self.stopped_early and self.config.patience is not None:
            patience = counted(self.config.patience, "epoch")
            self.progress.say(f"stopped early: no better validation accuracy in {patience}")

    def _record(self, metrics: Metrics) -> EpochRecord:
        if metrics.loss is None:
            raise self._diverged(math.nan)
        tally, by_size = self.tally, self.tally.images_by_size
        return EpochRecord(
            epoch=self.epoch + 1,
            lr=self._last_lr,
            train_loss=tally.loss,
            train_accuracy=tally.accuracy,
            val_loss=metrics.loss,
            val_accuracy=metrics.top1,
            seconds=tally.seconds,
            images_per_second=tally.images / max(self.seconds_trained, 1e-9),
            images_by_size=by_size if sum(by_size.values()) == tally.images else None,
        )

    @property
    def _last_lr(self) -> float:
        if self.lr is not None:
            return self.lr
        return learning_rate(self.config, self.pace.at(self.steps_done - 1), len(self.batches))

    def save_interrupted(self) -> None:
        """Saves the weights and the state in the middle of an epoch."""
        self.progress.finish()
        if self.tally.images == 0 and self.records:
            return  # between two epochs, where everything has just been saved
        if not self.tally.finite:
            raise self._diverged(math.nan)
        self._save_unfinished()

    def _save_unfinished(self) -> None:
        self.tally.gather()
        with self.save_due.timed():
            self.saver.checkpoints(self.learner.result, self.epoch, None)
            self._save_progress()

    def _save_progress(self) -> None:
        history, tally = self.history(), self.tally
        position = Position(
            config=self.config,
            dataset_sha256=self.dataset.sha256,
            dataset=self.dataset.identity,
            epoch=self.epoch,
            step=tally.step,
            images=tally.images,
            images_by_size=tally.images_by_size,
            mixed=tally.mixed,
            seconds=tally.seconds,
            spent=self.pace.seconds,
            records=history.epochs,
            best=self.best,
            memory=history.memory,
            device=self.device.type,
        )
        self.saver.progress(history, position, self._parts)

    def history(self) -> History:
        """The history so far."""
        return History(
            config=self.config,
            device=device_name(self.device),
            epochs=tuple(self.records),
            memory=self.meter.peak(self.earlier_memory),
            processes=self.team.size,
            provenance=provenance(packages=checkpoint.PACKAGES, limit=self.config.limit),
        )

    def _to_go(self) -> str:
        if (budget := self.config.budget) is not None:
            return f"  {duration(max(0.0, budget.seconds - self.pace.seconds))} to go"
        if not self.records:
            return ""
        mean = sum(record.seconds for record in self.records) / len(self.records)
        left = mean * (self.config.epochs - self.epoch) - self.tally.seconds
        return f"  about {duration(max(0.0, left))} to go"

    def _of(self, epoch: int) -> str:
        return f"{epoch}" if self.config.budget is not None else f"{epoch}/{self.config.epochs}"

    def _diverged(self, loss: float) -> TrainingError:
        steps = len(self.batches)
        advice = [f"--lr {self.config.lr / 3:.2g}"]
        if self.config.warmup_epochs == 0:
            advice.append("--warmup-epochs 5")
        if self.config.clip_norm is None:
            advice.append("--clip-norm 1")
        return TrainingError(
            f"the loss is not a finite number in epoch {self.epoch + 1}, "
            f"step {min(self.tally.step + 1, steps)} of {steps}",
            value=loss,
            hint=f"training diverged; start again with {' or '.join(advice)}",
        )
