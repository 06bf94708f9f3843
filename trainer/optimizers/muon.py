"""Muon: momentum made orthogonal, for the matrices and filters inside a network; AdamW for all else.

Jordan et al., 2024 (https://kellerjordan.github.io/posts/muon/). A convolution's filters are one matrix, a row for each
output; those of a depthwise convolution, each of which sees a channel of its own, are none, and are left to AdamW.
Matrices of one shape go through the Newton-Schulz iteration together, as one batch; in bfloat16 where the network is
trained in it, which takes half the time and is all that an update of singular values near 1 needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from tinyml.schema import TrainConfig

from ..newton_schulz import orthogonalized
from ..optimizer import OptimizerKind, ParameterGroups, optimizers

ADAM_SHARE = 0.05
"""Of the rate, for what is no hidden matrix: 1e-3 at Muon's usual 0.02."""
ADAM_BETAS, ADAM_EPSILON = (0.9, 0.99), 1e-8


class Muon(Optimizer):
    """Muon for groups whose `orthogonal` is true, AdamW at a small share of the rate for the others."""

    def __init__(self, groups: ParameterGroups, lr: float, momentum: float, dtype: torch.dtype = torch.float32) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": 0.0, "orthogonal": False})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            trained = [parameter for parameter in group["params"] if parameter.grad is not None]
            if group["orthogonal"]:
                self._orthogonal_step(group, trained)
            else:
                self._adam_step(group, trained)

    def _orthogonal_step(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        momentum, lr = group["momentum"], group["lr"]
        by_shape: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
        for parameter in parameters:
            gradient = parameter.grad
            assert gradient is not None  # noqa: S101 (for the type checker)
            state = self.state[parameter]
            if not state:
                state["momentum_buffer"] = torch.zeros_like(parameter)
            buffer = state["momentum_buffer"].lerp_(gradient, 1.0 - momentum)
            update = torch.lerp(gradient, buffer, momentum).flatten(1)
            by_shape.setdefault((update.shape[0], update.shape[1]), []).append((parameter, update))
        for (rows, columns), entries in by_shape.items():
            updates = orthogonalized(torch.stack([update for _, update in entries]), self.dtype)
            scale = max(1.0, rows / columns) ** 0.5
            for (parameter, _), update in zip(entries, updates, strict=True):
                parameter.mul_(1.0 - lr * group["weight_decay"])
                parameter.sub_(update.view(parameter.shape), alpha=lr * scale)

    def _adam_step(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        lr, (first, second) = group["lr"] * ADAM_SHARE, ADAM_BETAS
        for parameter in parameters:
            gradient = parameter.grad
            assert gradient is not None  # noqa: S101 (for the type checker)
            state = self.state[parameter]
            if not state:
                state["step"] = torch.zeros(())
                state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
            state["step"] += 1
            count = float(state["step"])
            mean = state["exp_avg"].lerp_(gradient, 1.0 - first)
            square = state["exp_avg_sq"].mul_(second).addcmul_(gradient, gradient, value=1.0 - second)
            root = (square / (1.0 - second**count)).sqrt_().add_(ADAM_EPSILON)
            parameter.mul_(1.0 - lr * group["weight_decay"])
            parameter.addcdiv_(mean, root, value=-lr / (1.0 - first**count))


def muon(groups: ParameterGroups, config: TrainConfig, device: torch.device) -> Muon:
    """The classifier, which is every architecture's last matrix, is left to AdamW, as are vectors and embeddings."""
    parted: ParameterGroups = []
    for group in groups:
        inner = group["params"][:-1] if group["classifies"] else group["params"]
        hidden = [parameter for parameter in inner if _is_matrix(parameter)] if group["decays"] else []
        inside = {id(parameter) for parameter in hidden}
        rest = [parameter for parameter in group["params"] if id(parameter) not in inside]
        decay = group["weight_decay"]
        parted.append({"params": hidden, "weight_decay": decay, "orthogonal": True})
        parted.append({"params": rest, "weight_decay": decay, "orthogonal": False})
    coarse = config.precision == "bf16" or device.type == "cuda"
    return Muon(parted, config.lr, config.momentum, torch.bfloat16 if coarse else torch.float32)


def _is_matrix(parameter: Tensor) -> bool:
    return parameter.ndim == 2 or (parameter.ndim == 4 and parameter.shape[1] > 1)


optimizers.add("muon", OptimizerKind(build=muon, lr=0.02, weight_decay=0.05, momentum=0.95))
