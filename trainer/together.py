"""A network in several processes: gradients averaged, and normalizations that see the images of all of them."""

from __future__ import annotations

import inspect
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from .team import Team

_BUFFERS = next(
    name
    for name in ("forward_sync_buffers", "broadcast_buffers")
    if name in inspect.signature(DistributedDataParallel).parameters
)
"""What later versions of torch call the option whose first name they warn of; all processes have the same buffers."""


class _Summed(torch.autograd.Function):
    """The sum over all processes; so is its gradient."""

    @staticmethod
    def forward(_context: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


class SynchronizedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization by the mean and variance over the batches of all processes, on every device.

    torch's own, SyncBatchNorm, is for CUDA only; its state has the same names.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] to the same shape."""
        if not self.training:
            return super().forward(x)
        values = x.float()
        count = values.numel() // values.shape[1] * dist.get_world_size()
        mean = self._summed(values.sum((0, 2, 3))) / count
        centered = values - mean[:, None, None]
        variance = self._summed(centered.square().sum((0, 2, 3))) / count
        self._remember(mean.detach(), variance.detach() * (count / max(1, count - 1)))
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        y = centered * scale[:, None, None]
        if self.bias is not None:
            y = y + self.bias[:, None, None]
        return y.to(x.dtype)

    @staticmethod
    def _summed(value: Tensor) -> Tensor:
        result: Tensor = _Summed.apply(value)
        return result

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)


def synchronized(network: nn.Module) -> nn.Module:
    """`network` with its batch normalizations made to see the images of all processes; parameters and names stay."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SynchronizedBatchNorm2d
    return network


def averaging(network: nn.Module, team: Team, device: torch.device) -> nn.Module:
    """A module that answers as `network`, whose backward pass averages the gradients over the team."""
    if team.size == 1:
        return network
    ids = [device.index] if device.type == "cuda" else None
    options: dict[str, Any] = {_BUFFERS: False}
    return DistributedDataParallel(network, device_ids=ids, **options)
