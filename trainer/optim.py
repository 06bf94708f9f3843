"""Optimizers by name, which parameters decay, and their state as plain tensors.

Weight decay is for the weights of convolutions and linear layers: normalisation, biases, the class token and positions
have few values and no reason to be small (He et al., 2018, https://arxiv.org/abs/1812.01187, section 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from tinyml.errors import CheckpointError
from tinyml.schema import TrainConfig

NO_DECAY = ("class_token", "positions")


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Two groups: what decays, and what does not."""
    decaying: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (free if parameter.ndim < 2 or name in NO_DECAY else decaying).append(parameter)
    return [{"params": decaying, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]


def optimizer(model: nn.Module, config: TrainConfig, device: torch.device) -> Optimizer:
    """The optimizer of `config` over the model's parameters; SGD with momentum is Nesterov's."""
    groups = parameter_groups(model, config.weight_decay)
    # One kernel for all parameters where launches cost; on the CPU they do not.
    fused = device.type in ("cuda", "mps") or None
    match config.optimizer:
        case "sgd":
            return SGD(groups, config.lr, momentum=config.momentum, nesterov=config.momentum > 0, fused=fused)
        case "adam":
            return Adam(groups, config.lr, fused=fused)
        case "adamw":
            return AdamW(groups, config.lr, fused=fused)
        case "rmsprop":
            return RMSprop(groups, config.lr, momentum=config.momentum)


def set_learning_rate(optimizer: Optimizer, lr: float) -> None:
    """Sets the rate of all groups."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def state_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """The optimizer's state, one tensor a parameter and quantity: "12.momentum_buffer".

    Everything else in `state_dict()` follows from the configuration.
    """
    return {
        f"{index}.{quantity}": value
        for index, state in optimizer.state_dict()["state"].items()
        for quantity, value in state.items()
        if isinstance(value, Tensor)
    }


def load_state_tensors(optimizer: Optimizer, tensors: Mapping[str, Tensor], origin: str) -> None:
    """Puts back what `state_tensors` gave.

    Raises:
        CheckpointError: A tensor fits no parameter; `origin` names the file.
    """
    shapes = [parameter.shape for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, quantity = name.partition(".")
        fits = index.isdecimal() and int(index) < len(shapes) and tensor.shape in (shapes[int(index)], torch.Size(()))
        if not fits:
            raise CheckpointError(f"{origin} holds the state of another optimizer", value=name)
        state.setdefault(int(index), {})[quantity] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
