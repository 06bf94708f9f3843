"""Adam, and AdamW, whose weight decay is no part of the gradient."""

from __future__ import annotations

import torch
from torch.optim import Adam, AdamW

from tinyml.schema import TrainConfig

from ..optimizer import OptimizerKind, ParameterGroups, fused, optimizers


def adam(groups: ParameterGroups, config: TrainConfig, device: torch.device) -> Adam:
    """Kingma, Ba, 2014 (https://arxiv.org/abs/1412.6980)."""
    return Adam(groups, config.lr, fused=fused(device))


def adamw(groups: ParameterGroups, config: TrainConfig, device: torch.device) -> AdamW:
    """Loshchilov, Hutter, 2017 (https://arxiv.org/abs/1711.05101)."""
    return AdamW(groups, config.lr, fused=fused(device))


optimizers.add("adam", OptimizerKind(build=adam, lr=1e-3, weight_decay=5e-4))
optimizers.add("adamw", OptimizerKind(build=adamw, lr=1e-3, weight_decay=0.05))
