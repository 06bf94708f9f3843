"""One training: its steps, validations and epochs, and what is saved of it."""

from __future__ import annotations

import math

import torch

from tinyml.counting import counted
from tinyml.duration import duration
from tinyml.errors import TrainingError, UsageError
from tinyml.progress import Progress
from tinyml.schema import EpochRecord, History, MemoryPeak, Metrics, Provenance, TrainConfig
from tinyml.store import provenance, this_command
from tinyml.workspace import RunFolder

from . import checkpoint
from .data import Answers, Dataset, TrainBatches
from .device import device_name
from .early_stopping import stopped_early
from .estimate import FirstEstimate
from .learner import Learner
from .memory import MemoryMeter
from .objective import Objective
from .pace import Counted, Led, Pace, Timed
from .saver import Elsewhere, SaveDue, Saver
from .schedule import learning_rate
from .signals import Interrupts
from .start import Start, begun
from .state import Generators, Parts, Position, SavedState, check_continues
from .tally import Tally
from .team import Team
from .validation import validate, validated_images

CPU_CHECK_STEPS, ACCELERATOR_CHECK_STEPS = 1, 20
"""Reading the loss makes an accelerator wait, so there it is looked at once in so many steps."""


class Training:
    """What learns, and how far it has come; made from what `loop.train` is given.

    Args:
        folder: Where results go.

    Raises:
        TrainingError: There are no images to train on.
        UsageError: As `loop.train`.
        CheckpointError: The state cannot be read.
    """

    def __init__(
        self,
        *,
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
        self.team, self.folder = team, folder
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
        self.learner = Learner(begun(start, config, dataset), objective, config, device, team)
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
        self.commands: tuple[str, ...] = ()
        if (saved := start.saved()) is not None:
            self._resume(saved)
            spent += saved.position.spent
        self.commands = tuple(dict.fromkeys((*self.commands, this_command())))
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
    def unjudged(self) -> bool:
        """Whether steps were made since the last validation, as where a stop came in the middle of one."""
        return self.tally.step > 0

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
        if self.best is not None and not self.folder.best.exists():
            self.progress.say(
                f"the best checkpoint so far is not in {self.folder.checkpoints}: the next one stands for it"
            )
            self.best = None
        self.earlier_memory, self.commands = position.memory, position.commands
        self.tally.resume(position)

    def train_epoch(self, interrupts: Interrupts) -> None:
        """Trains the rest of the current epoch; nothing where only its validation is left."""
        tally, steps = self.tally, len(self.batches)
        check_every = CPU_CHECK_STEPS if self.device.type == "cpu" else ACCELERATOR_CHECK_STEPS
        total = steps * self.batches.batch_size
        self.progress.start(f"epoch {self._of(self.epoch + 1)}", total, "images", done=tally.images)
        self.learner.begin()
        tally.start_clock()
        shown = ""
        rest = () if self.over else self.batches.epoch(self.epoch + 1, tally.step, self.pace)
        for batch in rest:
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
        self.saver.checkpoints(self.learner.result, self.epoch, metrics, best=best, made=self._provenance())
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
            self.saver.checkpoints(self.learner.result, self.epoch, None, made=self._provenance())
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
            commands=self.commands,
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
            provenance=self._provenance(),
        )

    def _provenance(self) -> Provenance:
        """By all commands of the training: one that only goes on with it tells nobody how to make it again."""
        made = provenance(packages=checkpoint.PACKAGES, limit=self.config.limit)
        return made.model_copy(update={"command": " && ".join(self.commands)})

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
