"""RMSprop, with plain momentum."""

from __future__ import annotations

import torch
from torch.optim import RMSprop

from tinyml.schema import TrainConfig

from ..optimizer import OptimizerKind, ParameterGroups, optimizers


def rmsprop(groups: ParameterGroups, config: TrainConfig, _device: torch.device) -> RMSprop:
    """Tieleman, Hinton: Neural Networks for Machine Learning, lecture 6.5, 2012. torch has no fused form of it."""
    return RMSprop(groups, config.lr, momentum=config.momentum)


optimizers.add("rmsprop", OptimizerKind(build=rmsprop, lr=1e-3, weight_decay=5e-4))
