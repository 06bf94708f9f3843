"""Where a training begins: with fresh weights, with those of a checkpoint, or where an interrupted one stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from tinyml.schema import TrainConfig
from tinyml.workspace import RunFolder

from .architecture import build, set_recompute
from .data import Dataset, trained_images
from .state import SavedState
from .whitening import whiten


class Start(Protocol):
    """What a training begins with."""

    def network(self, config: TrainConfig, labels: tuple[str, ...]) -> nn.Module:
        """The network to train, on the CPU, for these classes."""

    def saved(self) -> SavedState | None:
        """How far an earlier run of this training came; None: it begins anew."""

    def folder(self) -> RunFolder | None:
        """Where its files lie already; None: nowhere yet."""


def begun(start: Start, config: TrainConfig, dataset: Dataset) -> nn.Module:
    """The network of `start` as its training begins, its first layer whitening the images where that is asked for."""
    network = start.network(config, dataset.index.labels)
    if config.whiten and start.saved() is None:
        split = dataset.split("train")
        whiten(network, split, trained_images(split, config), dataset.index.preprocess)
    return network


@dataclass(frozen=True)
class Scratch:
    """Fresh weights, drawn from the configuration's seed."""

    def network(self, config: TrainConfig, labels: tuple[str, ...]) -> nn.Module:
        """See Start."""
        torch.manual_seed(config.seed)
        network = build(config.model, len(labels), dropout=config.dropout, drop_path=config.drop_path)
        if config.recompute is not None:
            set_recompute(network, config.recompute)
        return network

    def saved(self) -> SavedState | None:
        """See Start."""
        return None

    def folder(self) -> RunFolder | None:
        """See Start."""
        return None


@dataclass(frozen=True)
class Resumed(Scratch):
    """The state of an unfinished training; it holds all weights, so the fresh ones are replaced."""

    state: SavedState

    def saved(self) -> SavedState:
        """See Start."""
        return self.state

    def folder(self) -> RunFolder | None:
        """See Start."""
        return RunFolder.of_state(self.state.path)
