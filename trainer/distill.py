"""Distillation: to answer as another classifier does, beside answering right.

After Hinton et al., Distilling the Knowledge in a Neural Network, 2015 (https://arxiv.org/abs/1503.02531). The teacher
sees the very images that the network sees, mixed and augmented (Beyer et al., 2021, https://arxiv.org/abs/2106.05237).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from tinyml.accuracy import Predictor
from tinyml.counting import counted
from tinyml.errors import DataError
from tinyml.schema import Preprocess

from .data import Batch
from .data.augment import normalized
from .device import Precision, autocast, sent
from .inference import for_inference

if TYPE_CHECKING:
    from .objective import Objective

LEAST_PROBABILITY = 1e-12
"""Where only probabilities are known, what none counts as less than in its logarithm."""


class Teacher(Protocol):
    """Something that answers the images of a training."""

    def __call__(self, images: Tensor) -> Tensor:
        """Normalized images float32 [B, 3, H, W], as the network sees them, to logits float32 [B, classes] there."""


class Distilled:
    """An objective: the divergence from a teacher's answers, and the loss without one.

    Args:
        teacher: Asked for batches that do not hold its answers already.
        right: The loss without a teacher.
        temperature: By which the logits of both are divided; the divergence is multiplied by its square.
        share: Of the divergence in the loss.
    """

    def __init__(self, teacher: Teacher, right: Objective, *, temperature: float, share: float) -> None:
        self._teacher, self._right = teacher, right
        self._temperature, self._share = temperature, share

    def __call__(self, logits: Tensor, batch: Batch) -> Tensor:
        """See Objective."""
        taught = self._teacher(batch.images) if batch.taught is None else batch.taught
        divergence = functional.kl_div(
            (logits / self._temperature).log_softmax(1),
            (taught / self._temperature).log_softmax(1),
            log_target=True,
            reduction="batchmean",
        )
        return self._share * self._temperature**2 * divergence + (1 - self._share) * self._right(logits, batch)


class NetworkTeacher:
    """A network as a teacher, at the size of image that it was made for; copied, and folded for inference.

    Args:
        network: From normalized images to logits.
        own: How its images are prepared.
        seen: How those of the training are.
        precision: In which it computes.
    """

    def __init__(self, network: nn.Module, own: Preprocess, seen: Preprocess, precision: Precision = "fp32") -> None:
        self._network = for_inference(network)
        self._own, self._seen, self._precision = own, seen, precision

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """See Teacher."""
        images = _of_size(images, self._own.input_size)
        if (self._own.mean, self._own.std) != (self._seen.mean, self._seen.std):
            images = normalized(_plain(images, self._seen), self._own)
        self._network.to(images.device)
        with autocast(images.device, self._precision):
            answered: Tensor = self._network(images)
        return answered.float()


class PredictorTeacher:
    """Anything that classifies uint8 images as a teacher: an exported package, in its own runtime, on the CPU.

    It sees the images rounded to whole levels, as it does wherever it is used.
    """

    def __init__(self, predictor: Predictor, seen: Preprocess) -> None:
        self._predictor, self._seen = predictor, seen

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """See Teacher."""
        size = self._predictor.spec.preprocess.input_size
        levels = _plain(_of_size(images, size), self._seen).mul_(255.0).round_().clamp_(0, 255)
        pixels = levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
        scores = self._predictor.logits(pixels)
        if scores is not None:
            return torch.from_numpy(scores).float().to(images.device)
        probabilities = torch.from_numpy(self._predictor.probabilities(pixels))
        return probabilities.clamp_min(LEAST_PROBABILITY).log().float().to(images.device)


def check_teacher(labels: tuple[str, ...], wanted: tuple[str, ...], what: object) -> None:
    """Raises DataError unless a teacher with these `labels` knows the classes of the data, in their order."""
    if labels != wanted:
        raise DataError(
            "the teacher knows other classes than the data set",
            value=f"{what}: {counted(len(labels), 'class', 'classes')}, first {labels[:1]}",
            allowed=f"{counted(len(wanted), 'class', 'classes')}, first {wanted[:1]}",
        )


def _of_size(images: Tensor, size: int) -> Tensor:
    if images.shape[-1] == size:
        return images
    return functional.interpolate(images, (size, size), mode="bilinear", antialias=True)


def _plain(images: Tensor, seen: Preprocess) -> Tensor:
    """Normalized images as values from 0 to 1, a new tensor."""
    mean, std = (sent(torch.tensor(each), images.device)[:, None, None] for each in (seen.mean, seen.std))
    return images * std + mean
