"""An exponential moving average of the weights, whose accuracy is usually higher than that of the weights themselves.

The decay warms up as min(decay, (1 + n) / (10 + n)), so that the random start is soon forgotten (as in TensorFlow's
`ExponentialMovingAverage` with `num_updates`). Buffers are averaged as well: without them the averaged weights
would be used with the statistics of other ones.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """A model whose `update_parameters(model)` averages, and whose `.module` has the averaged weights."""

    @torch.no_grad()
    def update(averages: Tensors, values: Tensors, updates: Tensor | int) -> None:
        if averages[0].is_floating_point():
            n = float(updates)
            torch._foreach_lerp_(averages, values, 1.0 - min(decay, (1.0 + n) / (10.0 + n)))
        else:  # the batch counters of normalizations
            torch._foreach_copy_(averages, values)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
