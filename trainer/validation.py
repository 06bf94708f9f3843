"""How good a network in training is, on the validation split."""

from __future__ import annotations

import torch
from torch import nn

from tinyml.accuracy import accuracy_on
from tinyml.progress import Progress
from tinyml.schema import Metrics, ModelSpec, TrainConfig

from .data import Dataset
from .predictor import ModulePredictor


def validate(
    network: nn.Module,
    spec: ModelSpec,
    dataset: Dataset,
    config: TrainConfig,
    device: torch.device,
    *,
    progress: Progress | None = None,
) -> Metrics:
    """Accuracy and loss of `network`, in evaluation mode; a limit on the images of an epoch holds here as well."""
    limits = [limit for limit in (config.limit, config.validate_images) if limit is not None]
    predictor = ModulePredictor(network, spec, device, batch_size=config.batch_size)
    return accuracy_on(predictor, dataset.split("val"), "val", limit=min(limits, default=None), progress=progress)
