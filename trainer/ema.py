"""An exponential moving average of the weights, whose accuracy is usually higher than that of the weights themselves.

The decay warms up as min(decay, (1 + n) / (10 + n)), so that the random start is soon forgotten (as in TensorFlow's
`ExponentialMovingAverage` with `num_updates`). Buffers are averaged as well: without them the averaged weights
would be used with the statistics of other ones.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class _Averaged(AveragedModel):
    """Counts its updates on the CPU: torch's own asks the device for their number, which waits for all it has to do."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(model, use_buffers=True)
        self._decay = decay

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Takes the weights and buffers of `model` into the average; the first ones are copied."""
        n = int(self.n_averaged)
        kept = min(self._decay, (1.0 + n) / (10.0 + n)) if n else 0.0
        both = zip(_tensors(self.module), _tensors(model), strict=True)
        for floating, pairs in _parted(both):
            averages, values = (list(each) for each in zip(*pairs, strict=True))
            if n and floating:
                torch._foreach_lerp_(averages, values, 1.0 - kept)
            else:  # the first ones, and the counters of normalizations
                torch._foreach_copy_(averages, values)
        self.n_averaged += 1


def _tensors(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]


def _parted(pairs: Iterable[tuple[Tensor, Tensor]]) -> list[tuple[bool, list[tuple[Tensor, Tensor]]]]:
    """Those of numbers, and those of integers, where there are some."""
    parts: dict[bool, list[tuple[Tensor, Tensor]]] = {}
    for average, value in pairs:
        parts.setdefault(average.is_floating_point(), []).append((average, value))
    return list(parts.items())


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """A model whose `update_parameters(model)` averages, and whose `.module` has the averaged weights."""
    return _Averaged(model, decay)
