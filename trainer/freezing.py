"""Layers that are not trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from tinyml.errors import UsageError
from tinyml.schema import TrainConfig

from .architecture import build


def freeze(network: nn.Module, names: Sequence[str]) -> None:
    """Stops the training of the parameters with these names, and of all in the layers with these names.

    Raises:
        UsageError: A name is nothing's, or nothing is left to train.
    """
    for name in names:
        frozen = [p for key, p in network.named_parameters() if key == name or key.startswith(f"{name}.")]
        if not frozen:
            outer = (key for key, module in network.named_children() if any(True for _ in module.parameters()))
            raise UsageError(
                "--freeze names nothing of this network",
                value=name,
                allowed=f"the name of a layer or parameter, the outermost being {', '.join(outer)}",
            )
        for parameter in frozen:
            parameter.requires_grad_(False)
    if names and not any(parameter.requires_grad for parameter in network.parameters()):
        raise UsageError("--freeze leaves nothing to train", value=", ".join(names))


def check_frozen(config: TrainConfig) -> None:
    """Raises UsageError as `freeze` does, before anything is read or written."""
    if config.freeze:
        with torch.device("meta"):
            freeze(build(config.model, 2), config.freeze)


def frozen_norms(network: nn.Module) -> list[nn.Module]:
    """The normalizations with running statistics whose parameters are all frozen: their statistics must be as well."""
    return [
        module
        for module in network.modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm)
        and all(not parameter.requires_grad for parameter in module.parameters())
        and any(True for _ in module.parameters())
    ]
