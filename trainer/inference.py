"""A network as it answers fastest: batch normalization folded into the convolution before it, channels last."""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .device import memory_format


def has_hooks(model: nn.Module) -> bool:
    """Whether something steps in while `model` computes, which a copy of its modules would go without."""
    return any(module._forward_pre_hooks or module._forward_hooks for module in model.modules())


def for_inference(model: nn.Module, device: torch.device | str = "cpu") -> nn.Module:
    """A copy of `model` in evaluation mode on `device`, which answers as `model` does up to rounding.

    Folded are the pairs that stand side by side in a Sequential, as `conv_bn` makes them; a normalization that
    stands before its convolution, as in DenseNet, stays.
    """
    place = torch.device(device)
    copied = copy.deepcopy(model).eval().requires_grad_(False)
    for module in list(copied.modules()):
        if isinstance(module, nn.Sequential):
            for (before, first), (after, second) in pairwise(list(module.named_children())):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    module.register_module(before, fuse_conv_bn_eval(first, second))
                    module.register_module(after, nn.Identity())
    return copied.to(place).to(memory_format=memory_format(place))
