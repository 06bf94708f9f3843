"""Stochastic gradient descent, with Nesterov's momentum where there is momentum."""

from __future__ import annotations

import torch
from torch.optim import SGD

from tinyml.schema import TrainConfig

from ..optimizer import OptimizerKind, ParameterGroups, fused, optimizers


def sgd(groups: ParameterGroups, config: TrainConfig, device: torch.device) -> SGD:
    """Sutskever et al., 2013 (https://proceedings.mlr.press/v28/sutskever13.html)."""
    return SGD(groups, config.lr, momentum=config.momentum, nesterov=config.momentum > 0, fused=fused(device))


optimizers.add("sgd", OptimizerKind(build=sgd, lr=0.1, weight_decay=5e-4))
