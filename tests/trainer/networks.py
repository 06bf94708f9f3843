"""Networks as they are after a training, without one."""

from __future__ import annotations

import torch
from torch import nn

from tinyml.trainer.architecture import build


def network_of(model: str, classes: int) -> nn.Module:
    """An architecture with statistics and scales that would show if they were lost."""
    torch.manual_seed(0)
    network = build(model, classes)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.6, 1.5)
            nn.init.uniform_(module.weight, 0.7, 1.3)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return network
