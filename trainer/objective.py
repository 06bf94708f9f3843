"""What a training minimizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from tinyml.schema import TrainConfig

from .data import Batch
from .device import sent
from .distill import Distilled, Teacher


class Objective(Protocol):
    """A loss of what the network answers for a batch."""

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """The mean loss of a batch, a scalar; `logits` are float32 [B, classes]."""


@dataclass(frozen=True, kw_only=True)
class CrossEntropy:
    """Cross-entropy, a share `label_smoothing` of each target spread over all classes (arXiv:1512.00567, section 7).

    `weights`, float32 [classes], count a class more or less; None: all alike. The sum is divided by the number of
    images either way, so that a batch in parts adds up to the whole.
    """

    label_smoothing: float = 0.0
    weights: Tensor | None = None

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """See Objective."""
        if self.weights is None:
            return functional.cross_entropy(logits, batch.targets, label_smoothing=self.label_smoothing)
        targets = batch.targets
        if not targets.is_floating_point():
            targets = functional.one_hot(targets, logits.shape[1]).to(logits.dtype)
        weights = sent(self.weights, logits.device)
        return functional.cross_entropy(logits, targets, weight=weights, label_smoothing=self.label_smoothing)


def balanced_weights(labels: npt.NDArray[np.int64], classes: int) -> Tensor:
    """Float32 [classes]: in inverse proportion to how often each is among `labels`, with a mean of 1 over these.

    A class that never occurs weighs nothing, as there is nothing to weigh.
    """
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.where(present, len(labels) / (present.sum() * np.maximum(counts, 1)), 0.0)
    return torch.from_numpy(weights.astype(np.float32))


def objective_of(
    config: TrainConfig, labels: npt.NDArray[np.int64], classes: int, teacher: Teacher | None = None
) -> Objective:
    """What `config` asks to minimize, on images of these classes; raises ValueError where its teacher is not given."""
    weights = balanced_weights(labels, classes) if config.class_weights == "balanced" else None
    right = CrossEntropy(label_smoothing=config.label_smoothing, weights=weights)
    if config.teacher is None:
        return right
    if teacher is None:
        raise ValueError("the configuration names a teacher, and none is given")
    return Distilled(teacher, right, temperature=config.distill_temperature, share=config.distill_share)
