"""How good a network in training is, on the validation split."""

from __future__ import annotations

import torch
from torch import nn

from tinyml.accuracy import accuracy_on
from tinyml.progress import Progress
from tinyml.schema import Metrics, ModelSpec, TrainConfig

from .data import Dataset
from .inference import for_inference, has_hooks
from .predictor import ModulePredictor
from .team import Team


def validate(
    network: nn.Module,
    spec: ModelSpec,
    dataset: Dataset,
    config: TrainConfig,
    device: torch.device,
    *,
    progress: Progress | None = None,
    team: Team | None = None,
) -> Metrics:
    """Accuracy and loss of `network` in evaluation mode; a limit on the images of an epoch holds here as well.

    Measured at the speed of inference: of a copy with its normalizations folded, in the training's precision. The
    network stays as it is, and in the mode that it is in. One with hooks, as fine-tuning rounds by, is measured itself.
    """
    answering = network if has_hooks(network) else for_inference(network, device)
    predictor = ModulePredictor(answering, spec, device, batch_size=config.batch_size, precision=config.precision)
    limit = validated_images(config, dataset)
    return accuracy_on(predictor, dataset.split("val"), "val", limit=limit, progress=progress, team=team)


def validated_images(config: TrainConfig, dataset: Dataset) -> int:
    """How many images one validation looks at."""
    limits = [limit for limit in (config.limit, config.validate_images) if limit is not None]
    return min([len(dataset.split("val")), *limits])
