"""What a network that is fine-tuned learns: to answer as it did in full precision, and to answer right."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from tinyml.schema import TrainConfig
from tinyml.trainer.start import Scratch
from tinyml.trainer.state import SavedState
from tinyml.workspace import RunFolder


class Distilled:
    """The divergence from a teacher's answers on the same images, and a little cross-entropy.

    After Hinton et al., Distilling the Knowledge in a Neural Network, 2015 (https://arxiv.org/abs/1503.02531).

    Args:
        teacher: The network in full precision; copied.
        temperature: By which the logits of both are divided.
        share: Of the divergence in the loss; the rest is the cross-entropy.
    """

    def __init__(self, teacher: nn.Module, *, temperature: float = 2.0, share: float = 0.9) -> None:
        self._teacher = copy.deepcopy(teacher).eval().requires_grad_(False)
        self._temperature, self._share = temperature, share

    def __call__(self, logits: Tensor, targets: Tensor, images: Tensor) -> Tensor:
        """See Objective."""
        with torch.no_grad():
            taught = self._teacher.to(images.device)(images).float()
        divergence = functional.kl_div(
            (logits / self._temperature).log_softmax(1),
            (taught / self._temperature).log_softmax(1),
            log_target=True,
            reduction="batchmean",
        )
        right = functional.cross_entropy(logits, targets)
        return self._share * self._temperature**2 * divergence + (1 - self._share) * right


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
