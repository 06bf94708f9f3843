"""A network as a classifier of images, which is how its accuracy is measured during and after training."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from tinyml.accuracy import BATCH, Images, Scores, check_images
from tinyml.numerics import softmax
from tinyml.schema import ModelSpec, Preprocess

from .data.augment import normalized
from .data.resident import to_tensor
from .device import Precision, autocast, memory_format


class ModulePredictor:
    """A network as a Predictor; it is used as it is, in evaluation mode, `batch_size` images at a time.

    Raises:
        UnavailableError: The device lacks the precision.
    """

    def __init__(
        self,
        model: nn.Module,
        spec: ModelSpec,
        device: torch.device | str = "cpu",
        *,
        batch_size: int = BATCH,
        precision: Precision = "fp32",
    ) -> None:
        self.spec = spec
        self._device = torch.device(device)
        self._model = model.to(self._device)
        self._batch_size, self._precision = batch_size, precision

    def logits(self, images: Images) -> Scores:
        """Images [N, H, W, 3] to logits [N, classes]."""
        check_images(images, self.spec.preprocess)
        training = self._model.training
        if training:  # each switch walks through every layer, which a small network's latency would show
            self._model.eval()
        try:
            with torch.inference_mode(), autocast(self._device, self._precision):
                parts = [
                    self._model(network_input(images[i : i + self._batch_size], self.spec.preprocess, self._device))
                    for i in range(0, len(images), self._batch_size)
                ]
        finally:
            if training:
                self._model.train()
        if not parts:
            return np.zeros((0, self.spec.classes), np.float32)
        scores: Scores = torch.cat(parts).float().cpu().numpy()
        return scores

    def probabilities(self, images: Images) -> Scores:
        """Images [N, H, W, 3] to probabilities [N, classes]."""
        return softmax(self.logits(images)).astype(np.float32)


def network_input(images: Images, preprocess: Preprocess, device: torch.device | str = "cpu") -> Tensor:
    """uint8 images [N, H, W, 3] to a network's float32 input [N, 3, H, W], `(value / 255 - mean) / std`."""
    writable = np.array(images)  # torch warns of arrays mapped read-only
    place = torch.device(device)
    values = normalized(to_tensor(writable, place).float().div_(255.0), preprocess)
    return values.contiguous(memory_format=memory_format(place))
