"""The state of an unfinished training: one safetensors file that is replaced as a whole, and no pickle.

The file holds the weights, their average, the optimizer's state and the generators' positions as tensors; everything
else is a JSON record in its header. A kill at any moment leaves the state of some completed save. Whatever a training
must not forget is a `Part`, kept under a name of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn

from tinyml.counting import counted
from tinyml.errors import CheckpointError, ManifestError, UsageError
from tinyml.progress import Progress, Silent
from tinyml.schema import (
    SCHEMA_VERSION,
    Count,
    DatasetIdentity,
    EpochRecord,
    Fraction,
    MemoryPeak,
    PositiveInt,
    Record,
    Sha256,
    TrainConfig,
)
from tinyml.store import parse_json

from .data import Dataset
from .data.reopening import differences
from .early_stopping import stopped_early
from .weights import check_fit, read_tensors, refuse_pickle_name, write_tensors

Tensors: TypeAlias = Mapping[str, Tensor]

HEADER, CHECKSUM = "tinyml", "crc32"
MAY_CHANGE = frozenset({"compiled", "epochs", "total_epochs", "patience", "save_every", "teacher"})
"""Of a configuration to go on with. Of the teacher, only where it lies: `prepare` compares the file."""


class Position(Record):
    """How far a training has come: `epoch` completed epochs and `step` steps of the next one."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["training_state"] = "training_state"
    config: TrainConfig
    dataset_sha256: Sha256
    dataset: DatasetIdentity | None = None
    """None: saved before that was kept."""
    epoch: Count
    step: Count
    images: Count
    """Images seen in the unfinished epoch."""
    images_by_size: dict[PositiveInt, PositiveInt] = Field(default_factory=dict)
    """Of those, how many in which size; fewer than `images`: begun before that was kept."""
    mixed: bool
    """Whether any of them was a mixture, so that the training accuracy means nothing."""
    seconds: float
    """Time spent in the unfinished epoch."""
    spent: float = 0.0
    """Time that counts against the budget."""
    records: tuple[EpochRecord, ...]
    best: Fraction | None
    """The best validation accuracy so far."""
    memory: MemoryPeak | None
    device: Literal["cpu", "cuda", "mps"]
    commands: tuple[str, ...] = ()
    """Those that began the training and went on with it; none: saved before that was kept."""


class Part(Protocol):
    """Something that a resumed training must find again as it was."""

    def tensors(self) -> Tensors:
        """What must be kept."""

    def load(self, tensors: Tensors, origin: str) -> None:
        """Puts back what `tensors` gave; raises CheckpointError, naming the file `origin`, for what does not fit."""


Parts: TypeAlias = Mapping[str, Part]


@dataclass(frozen=True)
class SavedState:
    """A state file, read: how far the training came, and the tensors of its parts."""

    path: Path
    position: Position
    tensors: Tensors
    """Named "part/tensor"."""

    def restore(self, parts: Parts) -> None:
        """Puts every part back; raises CheckpointError for what does not fit."""
        for name, part in parts.items():
            prefix = f"{name}/"
            part.load(
                {key.removeprefix(prefix): value for key, value in self.tensors.items() if key.startswith(prefix)},
                str(self.path),
            )


def previous_state(path: Path) -> Path:
    """Where the state before the one in `path` is kept."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def write_state(path: Path, position: Position, parts: Parts) -> None:
    """Replaces the state file, atomically; the one before is kept, in case a failing disk tears this one."""
    tensors = {f"{name}/{key}": value for name, part in parts.items() for key, value in part.tensors().items()}
    if path.exists():
        _keep(path, previous_state(path))
    header = {"format": "pt", HEADER: position.model_dump_json(), CHECKSUM: _checksum(tensors)}
    write_tensors(path, tensors, header)


def _keep(path: Path, kept: Path) -> None:
    aside = kept.with_name(f".{kept.name}")
    aside.unlink(missing_ok=True)
    try:
        aside.hardlink_to(path)
    except OSError:  # no hard links there: no second state
        return
    aside.replace(kept)


def _checksum(tensors: Tensors) -> str:
    total = 0
    for name in sorted(tensors):
        values = tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        total = zlib.crc32(values.data, zlib.crc32(name.encode(), total))
    return f"{total:08x}"


def read_state(path: Path, *, progress: Progress = Silent()) -> SavedState:
    """What `write_state` wrote; where the newest is torn, the one before, and `progress` is told so.

    Raises:
        CheckpointError: The file is missing, a pickle, or holds weights only; or it is torn, and so is the one before.
        ManifestError: Its record does not fit the schema.
    """
    refuse_pickle_name(path)
    if not path.exists():
        raise CheckpointError("nothing to resume", value=path, hint="start the training without --resume")
    try:
        return _read(path)
    except (TornError, ManifestError) as error:
        try:
            earlier = _read(previous_state(path))
        except (CheckpointError, ManifestError):
            raise error from None
        progress.say(f"the newest state cannot be read ({error}): going on from the one before")
        return SavedState(path, earlier.position, earlier.tensors)


class TornError(CheckpointError):
    """A state file that is not what was written."""


def _read(path: Path) -> SavedState:
    try:
        tensors, metadata = read_tensors(path)
    except CheckpointError as error:
        raise TornError(str(error)) from None
    if HEADER not in metadata:
        raise CheckpointError(
            "these are weights, not the state of a training", value=path, allowed="a resume.safetensors of tinyml"
        )
    if metadata.get(CHECKSUM, checksum := _checksum(tensors)) != checksum:
        raise TornError(f"{path} has changed since it was written", hint="start the training anew")
    return SavedState(path, parse_json(metadata[HEADER], Position, str(path)), tensors)


def check_continues(position: Position, config: TrainConfig, dataset: Dataset) -> None:
    """Raises UsageError unless `config` continues the training at `position` on the same data."""
    before = position.config
    for name in TrainConfig.model_fields:
        if name not in MAY_CHANGE and getattr(before, name) != getattr(config, name):
            raise UsageError(
                f"a resumed training keeps its {name.replace('_', '-')}",
                value=getattr(config, name),
                allowed=str(getattr(before, name)),
                hint="leave the option out, or start anew without --resume",
            )
    if found := _changed(position, dataset):
        raise UsageError(
            f"the data set {config.data} has changed since this training began{found}",
            hint="start anew without --resume",
        )
    for name in ("epochs", "total_epochs"):
        if config.budget is not None and getattr(before, name) != (given := getattr(config, name)):
            raise UsageError(
                f"a training with a budget has no --{name.replace('_', '-')}", value=given, hint="leave it out"
            )
    gone = config.budget is not None and position.spent >= config.budget.seconds - config.budget.finish_seconds
    if gone and position.step == 0:
        raise UsageError("this training is complete", value=f"{position.spent:.0f} s spent", hint="start anew")
    if stopped_early(position.records, config.patience):
        raise UsageError(
            "this training is complete",
            value=f"stopped early after {counted(position.epoch, 'epoch')}",
            allowed=f"--patience above {config.patience} to go on",
        )
    if config.budget is None and config.epochs <= position.epoch < before.epochs:
        raise UsageError(
            f"--epochs: this training has done {counted(position.epoch, 'epoch')} of {before.epochs}",
            value=config.epochs,
            allowed=f"above {position.epoch}",
            hint="leave the option out to go on to its end",
        )
    if config.budget is None and position.epoch >= config.epochs:
        raise UsageError(
            "this training is complete",
            value=f"{counted(position.epoch, 'epoch')} done",
            allowed=f"--epochs above {position.epoch} to go on",
        )


def _changed(position: Position, dataset: Dataset) -> str:
    """What the data set holds otherwise than it did, for the message; empty: nothing, wherever it was prepared."""
    if position.dataset is None:
        return "" if position.dataset_sha256 == dataset.sha256 else " (or was prepared again)"
    found = differences(position.dataset, dataset)
    return f": {found}" if found else ""


@dataclass(frozen=True)
class Weights:
    """The parameters and buffers of a network, or of the average of one, as a Part."""

    network: nn.Module
    what: str
    """For the message: "model"."""

    def tensors(self) -> Tensors:
        """See Part."""
        tensors: Tensors = self.network.state_dict()
        return tensors

    def load(self, tensors: Tensors, origin: str) -> None:
        """See Part."""
        check_fit(self.network.state_dict(), tensors, f"{origin} holds another {self.what}")
        self.network.load_state_dict(dict(tensors))


@dataclass(frozen=True)
class Generators:
    """The positions of torch's own generators, the CPU's and the device's, as a Part."""

    device: torch.device

    def tensors(self) -> Tensors:
        """See Part."""
        states = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        elif self.device.type == "mps":
            states["mps"] = torch.mps.get_rng_state()
        return states

    def load(self, tensors: Tensors, origin: str) -> None:  # noqa: ARG002
        """See Part; the state of another kind of device is left out."""
        torch.set_rng_state(tensors["cpu"])
        if self.device.type == "cuda" and "cuda" in tensors:
            torch.cuda.set_rng_state(tensors["cuda"], self.device)
        elif self.device.type == "mps" and "mps" in tensors:
            torch.mps.set_rng_state(tensors["mps"])
