"""What a training minimizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor
from torch.nn import functional

from tinyml.schema import TrainConfig


class Objective(Protocol):
    """A loss of what the network answers for a batch."""

    def __call__(self, logits: Tensor, targets: Tensor, images: Tensor) -> Tensor:
        """The mean loss of a batch, a scalar.

        Args:
            logits: float32 [B, classes].
            targets: int64 [B], or where images are mixed float32 [B, classes], whose rows sum to 1.
            images: float32 [B, 3, H, W], as the network saw them: for losses that ask another network about them.
        """


@dataclass(frozen=True, kw_only=True)
class CrossEntropy:
    """Cross-entropy, a share `label_smoothing` of each target spread over all classes (arXiv:1512.00567, section 7)."""

    label_smoothing: float = 0.0

    def __call__(self, logits: Tensor, targets: Tensor, images: Tensor) -> Tensor:  # noqa: ARG002
        """See Objective."""
        return functional.cross_entropy(logits, targets, label_smoothing=self.label_smoothing)


def objective_of(config: TrainConfig) -> Objective:
    """What `config` asks to minimize."""
    return CrossEntropy(label_smoothing=config.label_smoothing)
