"""What learns: a network, what updates it, and the average of its weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tinyml.schema import TrainConfig

from .architecture import architectures
from .data import Batch
from .device import autocast, memory_format
from .ema import averaged
from .freezing import freeze, frozen_norms
from .objective import Objective
from .optimizer import OptimizerState, build_optimizer, set_learning_rate
from .scaling import ScalerState, scaler_of
from .state import Part, Parts, Weights
from .team import ALONE, Team
from .together import averaging, synchronized


@dataclass(frozen=True)
class Answer:
    """What a network said of a batch: the mean loss and the logits, float32 [B, classes]."""

    loss: Tensor
    logits: Tensor


class Learner:
    """One network in training, on a device."""

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        config: TrainConfig,
        device: torch.device,
        team: Team = ALONE,
    ) -> None:
        self._config, self._device, self._objective, self._team = config, device, objective, team
        self.network: nn.Module = network.to(device).to(memory_format=memory_format(device))
        freeze(self.network, config.freeze)
        if team.size > 1:
            synchronized(self.network)
        forward = averaging(self.network, team, device)
        self._forward = torch.compile(forward, dynamic=False) if config.compiled else forward
        self._optimizer = build_optimizer(
            self.network, config, device, no_decay=architectures.get(config.model).no_decay
        )
        self._average = averaged(self.network, config.ema_decay) if config.ema_decay is not None else None
        self._scaler = scaler_of(device, config.precision)

    @property
    def result(self) -> nn.Module:
        """The network that is validated and saved: the averaged one where there is an average."""
        return self.network if self._average is None else self._average.module

    @property
    def parts(self) -> Parts:
        """What a resumed training needs of it."""
        parts: dict[str, Part] = {
            "model": Weights(self.network, "model"),
            "optimizer": OptimizerState(self._optimizer),
        }
        if self._average is not None:
            parts["ema"] = Weights(self._average, "average")
        if self._scaler.is_enabled():
            parts["scaler"] = ScalerState(self._scaler)
        return parts

    def begin(self) -> None:
        """Puts the network into training mode, but for the statistics of layers that are frozen."""
        self.network.train()
        for norm in frozen_norms(self.network):
            norm.eval()

    def answer(self, batch: Batch) -> Answer:
        """The forward and the backward pass of this process's batch, in the configuration's number of parts."""
        self._optimizer.zero_grad(set_to_none=True)
        answers = [self._part(part, len(part) / len(batch)) for part in batch.parts(self._config.accumulate)]
        if len(answers) == 1:
            return answers[0]
        return Answer(torch.stack([part.loss for part in answers]).sum(), torch.cat([part.logits for part in answers]))

    def _part(self, part: Batch, share: float) -> Answer:
        images = part.images.contiguous(memory_format=memory_format(self._device))
        with autocast(self._device, self._config.precision):
            logits = self._forward(images)
        logits = logits.float()
        loss = self._objective(logits, part)
        if share != 1.0:
            loss = loss * share
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        return Answer(loss.detach(), logits.detach())

    def learn(self, lr: float) -> None:
        """Updates the weights, and their average, by the gradient of the last answer at the rate `lr`.

        In float16 an update whose gradient is not finite is left out, and the loss is scaled less from then on.
        """
        set_learning_rate(self._optimizer, lr)
        if self._config.clip_norm is not None:
            self._scaler.unscale_(self._optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self._config.clip_norm)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        if self._average is not None:
            self._average.update_parameters(self.network)
