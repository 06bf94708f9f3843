"""A start of a training from a network that is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from tinyml.schema import TrainConfig
from tinyml.trainer.start import Scratch
from tinyml.trainer.state import SavedState
from tinyml.workspace import RunFolder


@dataclass(frozen=True, kw_only=True)
class FromNetwork(Scratch):
    """A start from a network that is there, made ready by whoever trains it."""

    ready: Callable[[SavedState | None], nn.Module]
    """Gives the network to train, for a training that begins or for one that goes on."""
    state: SavedState | None

    def network(self, config: TrainConfig, labels: tuple[str, ...]) -> nn.Module:  # noqa: ARG002
        """See Start."""
        torch.manual_seed(config.seed)
        return self.ready(self.state)

    def saved(self) -> SavedState | None:
        """See Start."""
        return self.state

    def folder(self) -> RunFolder | None:
        """See Start."""
        return None if self.state is None else RunFolder.of_state(self.state.path)
