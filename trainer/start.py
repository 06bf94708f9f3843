"""Where a training begins: with fresh weights, with those of a checkpoint, or where an interrupted one stopped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from tinyml.schema import TrainConfig

from .architecture import build
from .state import SavedState, read_state


class Start(Protocol):
    """What a training begins with."""

    def network(self, config: TrainConfig, labels: tuple[str, ...]) -> nn.Module:
        """The network to train, on the CPU, for these classes."""

    def saved(self) -> SavedState | None:
        """How far an earlier run of this training came; None: it begins anew."""


@dataclass(frozen=True)
class Scratch:
    """Fresh weights, drawn from the configuration's seed."""

    def network(self, config: TrainConfig, labels: tuple[str, ...]) -> nn.Module:
        """See Start."""
        torch.manual_seed(config.seed)
        return build(config.model, len(labels), dropout=config.dropout, drop_path=config.drop_path)

    def saved(self) -> SavedState | None:
        """See Start."""
        return None


@dataclass(frozen=True)
class Resumed(Scratch):
    """The state file of an unfinished training; it holds all weights, so the fresh ones are replaced.

    Raises:
        CheckpointError: By `saved`, as `read_state`.
    """

    path: Path

    def saved(self) -> SavedState:
        """See Start."""
        return read_state(self.path)
