"""The training loop: from a configuration and a data set to checkpoints and a history.

On the CPU a run that was interrupted and resumed gives bitwise what an uninterrupted one gives, with the same number
of threads.
"""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from tinyml.accuracy import accuracy_on
from tinyml.errors import TrainingError
from tinyml.progress import Progress, Silent
from tinyml.schema import EpochRecord, History, MemoryPeak, Metrics, ModelSpec, TrainConfig
from tinyml.store import provenance, write_json
from tinyml.workspace import BEST_CHECKPOINT, HISTORY, HISTORY_PLOT, Workspace

from . import checkpoint
from .data import Dataset, TrainBatches
from .device import autocast, memory_format
from .ema import averaged
from .memory import MemoryMeter, keep_freed_memory, out_of_memory_told
from .models import build
from .optim import load_state_tensors, optimizer, set_learning_rate, state_tensors
from .plots import plot_history
from .predictor import ModulePredictor
from .resume import (
    Position,
    check_continues,
    generator_states,
    read_state,
    set_generator_states,
    state_file,
    write_state,
)
from .schedule import learning_rate
from .signals import Interrupts

ACCELERATOR_CHECK_STEPS = 20
"""Reading the loss makes an accelerator wait, so there it is looked at once in so many steps."""


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """How a training ended; `interrupted`: it can be resumed from `state`."""

    history: History
    best: Path | None
    """The manifest of the best checkpoint; None: no epoch was completed."""
    state: Path
    interrupted: bool


def train(
    config: TrainConfig,
    dataset: Dataset,
    workspace: Workspace,
    *,
    device: torch.device,
    resume: Path | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Trains a network and writes checkpoints, history and its plot to the model's folder in `workspace`.

    Ctrl-C and SIGTERM end it after the current step, with everything saved that resuming needs.

    Args:
        config: Everything that decides the run.
        dataset: Its "train" split is trained on, its "val" split chooses the best checkpoint; "test" is not touched.
        workspace: Where results go.
        device: Where to compute.
        resume: The state file of the run to continue; None: begin anew, replacing an earlier run of the model.
        progress: Told of every batch and epoch.

    Raises:
        TrainingError: The loss is not finite, memory ran out, or there are no images to train on.
        UsageError: `config` or the data are not those of the run to resume.
        UnavailableError: The device lacks the precision asked for.
        CheckpointError: The state cannot be read, or the results not be written.
    """
    keep_freed_memory()
    with autocast(device, config.precision):
        pass  # refuses a precision that the device lacks before anything is written
    run = _Run(config, dataset, workspace, device, progress or Silent())
    if resume is not None:
        run.restore(resume)
    with Interrupts().installed() as interrupts, out_of_memory_told(config.batch_size):
        try:
            while run.epoch < config.epochs:
                run.train_epoch(interrupts)
                metrics = run.validate()
                with interrupts.held():
                    run.finish_epoch(metrics)
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
            with interrupts.shielded():
                run.save_interrupted()
    if run.records:
        plot_history(run.history(), workspace.model(config.model) / HISTORY_PLOT)
    best = workspace.checkpoints(config.model) / BEST_CHECKPOINT
    return TrainResult(
        history=run.history(), best=best if run.records else None, state=run.state, interrupted=interrupted
    )


class _Run:
    """One training: the network, its optimizer and how far they have come."""

    def __init__(
        self, config: TrainConfig, dataset: Dataset, workspace: Workspace, device: torch.device, progress: Progress
    ) -> None:
        self.config, self.dataset, self.workspace, self.device = config, dataset, workspace, device
        self.progress = progress
        self.folder = workspace.checkpoints(config.model)
        self.state = state_file(workspace, config.model)
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.folder):
            pass  # a folder that cannot be written to is better found out now than after an epoch
        index, split = dataset.index, dataset.split("train")
        if len(split) == 0:
            raise TrainingError("the data set has no training images", value=config.data)
        self.batches = TrainBatches(split, config, index.preprocess, len(index.labels), device)
        self.epoch_images = len(self.batches) * min(config.batch_size, config.limit or len(split), len(split))
        torch.manual_seed(config.seed)
        model = build(config.model, len(index.labels), dropout=config.dropout, drop_path=config.drop_path)
        self.model: nn.Module = model.to(device).to(memory_format=memory_format(device))
        self.optimizer = optimizer(self.model, config, device)
        self.ema = averaged(self.model, config.ema_decay) if config.ema_decay is not None else None
        self.spec: ModelSpec = checkpoint.spec_of(config.model, self.model, index.labels, index.preprocess)
        self.meter = MemoryMeter(device)
        self.records: list[EpochRecord] = []
        self.epoch = 0
        self.best: float | None = None
        self.earlier_memory: MemoryPeak | None = None
        self.totals = torch.zeros(2, device=device)  # sums over the epoch's images: loss, and how many were right
        self._begin_epoch()

    @property
    def evaluated(self) -> nn.Module:
        """The network that is validated and saved: the averaged one where there is an average."""
        return self.model if self.ema is None else self.ema.module

    def _begin_epoch(self) -> None:
        self.step = self.images = 0
        self.mixed = False
        self.seconds = 0.0
        self.totals.zero_()
        self.began = time.monotonic()
        self._generators: dict[str, Tensor] | None = None

    def train_epoch(self, interrupts: Interrupts) -> None:
        """Trains the rest of the current epoch."""
        config, steps = self.config, len(self.batches)
        check_every = 1 if self.device.type == "cpu" else ACCELERATOR_CHECK_STEPS
        self.progress.start(self._label(), self.epoch_images, "images")
        if self.images:
            self.progress.advance(self.images)
        self.model.train()
        batches = islice(self.batches.epoch(self.epoch + 1), self.step, None)
        if self._generators is not None:
            set_generator_states(self._generators, self.device)
            self._generators = None
        self.began = time.monotonic()
        for images, targets in batches:
            with interrupts.held():
                lr = learning_rate(config, self.epoch * steps + self.step, steps)
                set_learning_rate(self.optimizer, lr)
                check = (self.step + 1) % check_every == 0 or self.step + 1 == steps
                self._update(images, targets, check)
                self.step += 1
                self.images += len(images)
            shown = f"loss {float(self.totals[0]) / self.images:.3f}  lr {lr:.2g}" if check else ""
            self.progress.advance(len(images), shown)
        self.progress.finish()

    def _update(self, images: Tensor, targets: Tensor, check: bool) -> None:
        config = self.config
        images = images.contiguous(memory_format=memory_format(self.device))
        with autocast(self.device, config.precision):
            logits = self.model(images)
        logits = logits.float()
        loss = functional.cross_entropy(logits, targets, label_smoothing=config.label_smoothing)
        if check and not math.isfinite(value := loss.item()):
            raise self._diverged(value)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if config.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update_parameters(self.model)
        with torch.no_grad():
            self.totals[0] += loss.detach() * len(images)
            if targets.is_floating_point():
                self.mixed = True
            else:
                self.totals[1] += (logits.argmax(1) == targets).sum()
        self.meter.sample()

    def validate(self) -> Metrics:
        """Accuracy and loss on the validation split; a limit on the images of an epoch holds for it as well."""
        self.seconds += time.monotonic() - self.began
        self.began = time.monotonic()
        predictor = ModulePredictor(self.evaluated, self.spec, self.device, batch_size=self.config.batch_size)
        split, limit = self.dataset.split("val"), self.config.limit
        metrics = accuracy_on(predictor, split, "val", limit=limit, progress=self.progress)
        loss = float(self.totals[0])
        if metrics.loss is None or not math.isfinite(loss):
            raise self._diverged(math.nan)
        return metrics

    def finish_epoch(self, metrics: Metrics) -> None:
        """Records a completed epoch, and saves: checkpoints first, the state to resume from last."""
        if metrics.loss is None:
            raise self._diverged(math.nan)
        loss, right = self.totals.tolist()
        steps = len(self.batches)
        record = EpochRecord(
            epoch=self.epoch + 1,
            lr=learning_rate(self.config, (self.epoch + 1) * steps - 1, steps),
            train_loss=loss / self.images,
            train_accuracy=None if self.mixed else right / self.images,
            val_loss=metrics.loss,
            val_accuracy=metrics.top1,
            seconds=self.seconds + time.monotonic() - self.began,
            images_per_second=self.images / max(self.seconds, 1e-9),
        )
        if not self.records:
            for old in self.folder.glob("epoch-*"):
                old.unlink()  # of an earlier run, which this one has now replaced
        self.records.append(record)
        self.epoch += 1
        self._begin_epoch()
        names = ["last"]
        if self.best is None or metrics.top1 > self.best:
            self.best = metrics.top1
            names.append("best")
        if self.epoch % self.config.save_every == 0:
            names.append(f"epoch-{self.epoch:03d}")
        for name in names:
            self._save_checkpoint(name, (metrics,))
        self._save_state()
        self.progress.say(
            f"epoch {record.epoch}/{self.config.epochs}: loss {record.train_loss:.3f}, "
            f"validation accuracy {record.val_accuracy:.2%}{' (best)' if 'best' in names else ''}, "
            f"{record.images_per_second:,.0f} images/s, {record.seconds:.1f} s"
        )

    def save_interrupted(self) -> None:
        """Saves the weights and the state in the middle of an epoch."""
        self.progress.finish()
        if self.images == 0 and self.records:
            return  # between two epochs, where everything has just been saved
        if not bool(torch.isfinite(self.totals).all()):
            raise self._diverged(math.nan)
        self.seconds += time.monotonic() - self.began
        self._save_checkpoint("last", ())
        self._save_state()

    def _save_checkpoint(self, name: str, metrics: tuple[Metrics, ...]) -> None:
        checkpoint.save(
            self.folder,
            name,
            self.evaluated,
            spec=self.spec,
            config=self.config,
            dataset_sha256=self.dataset.sha256,
            epoch=self.epoch,
            metrics=metrics,
        )

    def _save_state(self) -> None:
        write_json(self.workspace.model(self.config.model) / HISTORY, self.history())
        position = Position(
            config=self.config,
            dataset_sha256=self.dataset.sha256,
            epoch=self.epoch,
            step=self.step,
            images=self.images,
            mixed=self.mixed,
            seconds=self.seconds,
            records=tuple(self.records),
            best=self.best,
            memory=self.meter.peak(self.earlier_memory),
            device=self.device.type,
        )
        parts = {
            "model": self.model.state_dict(),
            "optimizer": state_tensors(self.optimizer),
            "generator": generator_states(self.device),
            "ema": {} if self.ema is None else self.ema.state_dict(),
            "run": {"totals": self.totals},
        }
        write_state(self.state, position, {f"{p}/{n}": t for p, part in parts.items() for n, t in part.items()})

    def restore(self, path: Path) -> None:
        """Continues where `path` stands."""
        position, tensors = read_state(path)
        check_continues(position, self.config, self.dataset.sha256)
        parts: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            part, _, rest = name.partition("/")
            parts.setdefault(part, {})[rest] = tensor
        checkpoint.check_fit(self.model.state_dict(), parts.get("model", {}), f"{path} holds another model")
        self.model.load_state_dict(parts["model"])
        if self.ema is not None:
            checkpoint.check_fit(self.ema.state_dict(), parts.get("ema", {}), f"{path} holds another average")
            self.ema.load_state_dict(parts["ema"])
        load_state_tensors(self.optimizer, parts.get("optimizer", {}), str(path))
        self.totals.copy_(parts["run"]["totals"])
        self._generators = parts["generator"]
        self.epoch, self.step, self.images = position.epoch, position.step, position.images
        self.mixed, self.seconds, self.best = position.mixed, position.seconds, position.best
        self.records, self.earlier_memory = list(position.records), position.memory

    def history(self) -> History:
        """The history so far."""
        return History(
            config=self.config,
            device=self.device.type,
            epochs=tuple(self.records),
            memory=self.meter.peak(self.earlier_memory),
            provenance=provenance(packages=checkpoint.PACKAGES, limit=self.config.limit),
        )

    def _label(self) -> str:
        label = f"epoch {self.epoch + 1}/{self.config.epochs}"
        if not self.records:
            return label
        left = sum(r.seconds for r in self.records) / len(self.records) * (self.config.epochs - self.epoch)
        return f"{label}, about {duration(left)} in all to go"

    def _diverged(self, loss: float) -> TrainingError:
        advice = [f"--lr {self.config.lr / 3:.2g}"]
        if self.config.warmup_epochs == 0:
            advice.append("--warmup-epochs 5")
        if self.config.clip_norm is None:
            advice.append("--clip-norm 1")
        return TrainingError(
            f"the loss is not a finite number in epoch {self.epoch + 1}, step {self.step + 1} of {len(self.batches)}",
            value=loss,
            hint=f"training diverged; start again with {' or '.join(advice)}",
        )


def duration(seconds: float) -> str:
    """A time for people: "2 h 10 min", "3 min 20 s", "45 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
