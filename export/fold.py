"""Batch normalizations folded into the convolutions before them, as both converters fold them."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import torch
from torch import nn


def folded(network: nn.Module, size: int) -> nn.Module:
    """A copy of `network` that computes the same in evaluation mode, its weights those that an export stores.

    A batch normalization that alone follows a convolution becomes an addition: what it multiplies with is in the
    weights. It keeps its place and its names, so that the weights still fit the architecture. All of them keep their
    statistics from now on, in training as well.

    Args:
        network: float32 [N, 3, size, size] to logits.
        size: Of its images.
    """
    network = copy.deepcopy(network).eval()
    for convolution, normalization in _pairs(network, size):
        _fold(convolution, normalization)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_pre_hook(_hold)
    return network


def without_normalizations(network: nn.Module, size: int) -> nn.Module:
    """A copy of `network` that computes the same in evaluation mode, with biases for the normalizations that fold.

    Args:
        network: float32 [N, 3, size, size] to logits.
        size: Of its images.
    """
    network = copy.deepcopy(network).eval()
    names = {module: name for name, module in network.named_modules()}
    for convolution, normalization in _pairs(network, size):
        _fold(convolution, normalization)
        convolution.bias = nn.Parameter(normalization.bias.detach().clone())
        network.set_submodule(names[normalization], nn.Identity())
    return network


def _hold(module: nn.Module, inputs: Any) -> None:  # noqa: ARG001
    """Before each forward pass: `train()` of the whole network means other modules."""
    module.training = False


def _pairs(network: nn.Module, size: int) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return []
    with torch.no_grad():
        program = torch.export.export(network, (torch.zeros(1, 3, size, size),))
    names = program.graph_signature.inputs_to_parameters
    users: Counter[str] = Counter()
    found = []
    for node in program.graph.nodes:
        owners = [_owner(names.get(arg.name)) for arg in node.args if isinstance(arg, torch.fx.Node)]
        layer = next((owner for owner in owners if owner is not None), None)
        if node.op != "call_function" or layer is None:
            continue
        module = network.get_submodule(layer)
        users[layer] += 1
        before = node.args[0]
        if isinstance(module, nn.BatchNorm2d) and len(before.users) == 1 and before.op == "call_function":
            weights = [_owner(names.get(arg.name)) for arg in before.args if isinstance(arg, torch.fx.Node)]
            first = next((network.get_submodule(owner) for owner in weights if owner is not None), None)
            if isinstance(first, nn.Conv2d):
                found.append((next(owner for owner in weights if owner is not None), layer))
    return [
        (network.get_submodule(first), network.get_submodule(second))  # type: ignore[misc]
        for first, second in found
        if users[first] == users[second] == 1
    ]


def _owner(parameter: str | None) -> str | None:
    """The module of a parameter by its name."""
    return None if parameter is None else parameter.rpartition(".")[0]


@torch.no_grad()
def _fold(convolution: nn.Conv2d, normalization: nn.BatchNorm2d) -> None:
    mean, variance = normalization.running_mean, normalization.running_var
    assert mean is not None  # noqa: S101
    assert variance is not None  # noqa: S101
    scale = normalization.weight / torch.sqrt(variance + normalization.eps)
    convolution.weight.mul_(scale.reshape(-1, 1, 1, 1))
    shift = normalization.bias - mean * scale
    if convolution.bias is not None:
        shift += convolution.bias * scale
        convolution.bias.zero_()
    normalization.weight.fill_(1)
    normalization.weight.requires_grad_(False)  # else what is rounded would not be what is stored: both multiplied
    normalization.bias.copy_(shift)
    mean.zero_()
    variance.fill_(1 - normalization.eps)  # to which the epsilon is added again
