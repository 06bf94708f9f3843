"""What several architectures share: convolution with normalization, stochastic depth, initial values."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv_bn(inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> list[nn.Module]:
    """A "same"-padded convolution without bias and its batch normalization, which can be folded into it."""
    return [
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    ]


def at_side(maps: Tensor, side: int) -> Tensor:
    """Maps [N, C, H, W] as [N, C, side, side], interpolated where they are of another size.

    So weights that belong to the places of a 64x64 image are trained on smaller ones as well.
    """
    if maps.shape[-2:] == (side, side):
        return maps
    return functional.interpolate(maps, (side, side), mode="bilinear", align_corners=False)


class DropPath(nn.Module):
    """Stochastic depth: in training, drops the whole branch of a sample with probability `rate`.

    What is kept is scaled by 1 / (1 - rate); in evaluation it is the identity.
    Source: Huang et al., Deep Networks with Stochastic Depth, 2016, https://arxiv.org/abs/1603.09382.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Returns `x` [N, ...] with some samples zeroed."""
        if not self.training or self.rate == 0.0:
            return x
        shape = (x.shape[0],) + (1,) * (x.ndim - 1)
        keep = torch.empty(shape, device=x.device, dtype=x.dtype).bernoulli_(1 - self.rate)
        return x * keep.div_(1 - self.rate)

    def extra_repr(self) -> str:
        """The rate."""
        return f"rate={self.rate:.3g}"


def drop_path_rates(last: float, blocks: int) -> list[float]:
    """One rate a block, from 0 in the first to `last` in the last, linearly."""
    return [last * i / max(1, blocks - 1) for i in range(blocks)]


def init_relu_network(model: nn.Module) -> None:
    """Initial values for networks of convolutions and rectifiers.

    Convolutions and hidden linear layers: normal with variance 2 / fan (He et al., 2015,
    https://arxiv.org/abs/1502.01852), by the outgoing fan for convolutions; batch normalization: the identity;
    biases: zero. The classifier, as the last linear layer, gets a standard deviation of 0.01.
    """
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
        elif isinstance(module, nn.Linear):
            if module is last:
                nn.init.normal_(module.weight, std=0.01)
            else:
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
