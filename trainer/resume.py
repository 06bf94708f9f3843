"""The state of an unfinished training: one safetensors file that is replaced as a whole, and no pickle.

The file holds the weights, their average, the optimizer's state and the generators' positions as tensors; everything
else is a JSON record in its header. A kill at any moment leaves the state of some completed save.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from tinyml.errors import CheckpointError, UsageError
from tinyml.schema import (
    SCHEMA_VERSION,
    Count,
    EpochRecord,
    Fraction,
    MemoryPeak,
    Record,
    Sha256,
    TrainConfig,
)
from tinyml.store import parse_json
from tinyml.workspace import Workspace

from .weights import read_tensors, refuse_pickle_name, write_tensors

HEADER = "tinyml"
MAY_CHANGE = frozenset({"epochs", "total_epochs", "save_every"})


class Position(Record):
    """How far a training has come: `epoch` completed epochs and `step` steps of the next one."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["training_state"] = "training_state"
    config: TrainConfig
    dataset_sha256: Sha256
    epoch: Count
    step: Count
    images: Count
    """Images seen in the unfinished epoch."""
    mixed: bool
    """Whether any of them was a mixture, so that the training accuracy means nothing."""
    seconds: float
    """Time spent in the unfinished epoch."""
    records: tuple[EpochRecord, ...]
    best: Fraction | None
    """The best validation accuracy so far."""
    memory: MemoryPeak | None
    device: Literal["cpu", "cuda", "mps"]


def state_file(workspace: Workspace, model: str) -> Path:
    """Where the unfinished training of `model` lies."""
    return workspace.checkpoints(model) / "resume.safetensors"


def write_state(path: Path, position: Position, tensors: Mapping[str, Tensor]) -> None:
    """Replaces the state file, atomically."""
    write_tensors(path, tensors, {"format": "pt", HEADER: position.model_dump_json()})


def read_position(path: Path) -> Position:
    """How far the training in `path` has come; raises CheckpointError as `read_state` does."""
    return read_state(path)[0]


def read_state(path: Path) -> tuple[Position, dict[str, Tensor]]:
    """What `write_state` wrote.

    Raises:
        CheckpointError: The file is missing, empty, truncated, a pickle, or holds weights only.
        ManifestError: Its record does not fit the schema.
    """
    refuse_pickle_name(path)
    if not path.exists():
        raise CheckpointError("nothing to resume", value=path, hint="start the training without --resume")
    tensors, metadata = read_tensors(path)
    if HEADER not in metadata:
        raise CheckpointError(
            "these are weights, not the state of a training", value=path, allowed="a resume.safetensors of tinyml"
        )
    return parse_json(metadata[HEADER], Position, str(path)), tensors


def check_continues(position: Position, config: TrainConfig, dataset_sha256: str) -> None:
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
    if position.dataset_sha256 != dataset_sha256:
        raise UsageError(
            f"the data set {config.data} has changed since this training began", hint="start anew without --resume"
        )
    if position.epoch >= config.epochs:
        raise UsageError(
            "this training is complete",
            value=f"{position.epoch} epochs done",
            allowed=f"--epochs above {position.epoch} to go on",
        )


def generator_states(device: torch.device) -> dict[str, Tensor]:
    """The positions of torch's own generators: the CPU's and the device's."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_generator_states(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Puts back what `generator_states` gave; a state of another kind of device is left out."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
