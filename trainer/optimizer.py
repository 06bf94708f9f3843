"""What an optimizer is, which parameters decay, and its state as plain tensors; the optimizers are in `optimizers/`.

Weight decay is for the weights of convolutions and linear layers: normalization, biases and what an architecture names
besides (`Architecture.no_decay`) have few values and no reason to be small (He et al., 2018,
https://arxiv.org/abs/1812.01187, section 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from tinyml.errors import CheckpointError
from tinyml.registry import Registry
from tinyml.schema import TrainConfig

from .state import Tensors

ParameterGroups: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class OptimizerKind:
    """An optimizer, and what suits it where nobody says."""

    build: Callable[[ParameterGroups, TrainConfig, torch.device], Optimizer]
    """From groups of parameters, each with its own weight decay, to an optimizer over them."""
    lr: float
    """A rate for batches of 128: of one optimizer it is a hundred times that of another."""
    weight_decay: float
    momentum: float = 0.9

    @property
    def settings(self) -> dict[str, float]:
        """Fields of TrainConfig that mean something else for every optimizer."""
        return {"lr": self.lr, "weight_decay": self.weight_decay, "momentum": self.momentum}


optimizers: Registry[OptimizerKind] = Registry("optimizer", package="tinyml.trainer.optimizers")


def build_optimizer(
    model: nn.Module, config: TrainConfig, device: torch.device, *, no_decay: Collection[str] = ()
) -> Optimizer:
    """The optimizer of `config` over the parameters of `model` that are not frozen.

    Args:
        model: The network, on `device`.
        config: Which optimizer, and its settings.
        device: Where the parameters lie.
        no_decay: Names of parameters that do not decay, although they are matrices.
    """
    groups = parameter_groups(model, config.weight_decay, no_decay)
    return optimizers.get(config.optimizer).build(groups, config, device)


def parameter_groups(model: nn.Module, weight_decay: float, no_decay: Collection[str] = ()) -> ParameterGroups:
    """Two groups of the parameters that are trained: what decays, and what does not.

    `classifies`: whether the last one of a group is the classifier's weight, the last matrix of all; it may be frozen.
    """
    decaying: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (free if parameter.ndim < 2 or name in no_decay else decaying).append(parameter)
    last = [parameter for name, parameter in model.named_parameters() if parameter.ndim >= 2 and name not in no_decay][
        -1:
    ]
    classifies = bool(last) and last[0].requires_grad
    return [
        {"params": decaying, "weight_decay": weight_decay, "decays": True, "classifies": classifies},
        {"params": free, "weight_decay": 0.0, "decays": False, "classifies": False},
    ]


def fused(device: torch.device) -> bool | None:
    """Whether to update all parameters in one kernel: where launches cost, which they do not on the CPU."""
    return device.type in ("cuda", "mps") or None


def set_learning_rate(optimizer: Optimizer, lr: float) -> None:
    """Sets the rate of all groups."""
    for group in optimizer.param_groups:
        group["lr"] = lr


@dataclass(frozen=True)
class OptimizerState:
    """An optimizer's state as a Part of the saved one: a tensor a parameter and quantity, "12.momentum_buffer".

    Everything else in `state_dict()` follows from the configuration.
    """

    optimizer: Optimizer

    def tensors(self) -> Tensors:
        """See Part."""
        return {
            f"{index}.{quantity}": value
            for index, state in self.optimizer.state_dict()["state"].items()
            for quantity, value in state.items()
            if isinstance(value, Tensor)
        }

    def load(self, tensors: Tensors, origin: str) -> None:
        """See Part; a tensor must fit a parameter."""
        optimizer = self.optimizer
        shapes = [parameter.shape for group in optimizer.param_groups for parameter in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            index, _, quantity = name.partition(".")
            fits = index.isdecimal() and int(index) < len(shapes) and tensor.shape in (shapes[int(index)], torch.Size())
            if not fits:
                raise CheckpointError(f"{origin} holds the state of another optimizer", value=name)
            state.setdefault(int(index), {})[quantity] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
