"""What learns: a network, what updates it, and the average of its weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tinyml.schema import TrainConfig

from .architecture import architectures
from .device import autocast, memory_format
from .ema import averaged
from .objective import Objective
from .optimizer import OptimizerState, build_optimizer, set_learning_rate
from .state import Parts, Weights


@dataclass(frozen=True)
class Answer:
    """What a network said of a batch: the mean loss, with its graph, and the logits, float32 [B, classes]."""

    loss: Tensor
    logits: Tensor


class Learner:
    """One network in training, on a device."""

    def __init__(self, network: nn.Module, objective: Objective, config: TrainConfig, device: torch.device) -> None:
        self._config, self._device, self._objective = config, device, objective
        self.network: nn.Module = network.to(device).to(memory_format=memory_format(device))
        self._optimizer = build_optimizer(
            self.network, config, device, no_decay=architectures.get(config.model).no_decay
        )
        self._average = averaged(self.network, config.ema_decay) if config.ema_decay is not None else None

    @property
    def result(self) -> nn.Module:
        """The network that is validated and saved: the averaged one where there is an average."""
        return self.network if self._average is None else self._average.module

    @property
    def parts(self) -> Parts:
        """What a resumed training needs of it."""
        parts: dict[str, OptimizerState | Weights] = {
            "model": Weights(self.network, "model"),
            "optimizer": OptimizerState(self._optimizer),
        }
        if self._average is not None:
            parts["ema"] = Weights(self._average, "average")
        return parts

    def answer(self, images: Tensor, targets: Tensor) -> Answer:
        """The forward pass of a batch: images float32 [B, 3, H, W], targets int64 [B] or float32 [B, classes]."""
        images = images.contiguous(memory_format=memory_format(self._device))
        with autocast(self._device, self._config.precision):
            logits = self.network(images)
        logits = logits.float()
        return Answer(self._objective(logits, targets, images), logits.detach())

    def learn(self, loss: Tensor, lr: float) -> None:
        """Updates the weights, and their average, by the gradient of `loss` at the rate `lr`."""
        set_learning_rate(self._optimizer, lr)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self._config.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self._config.clip_norm)
        self._optimizer.step()
        if self._average is not None:
            self._average.update_parameters(self.network)
