"""How long a training will take, told while there is no whole epoch to judge by."""

from __future__ import annotations

import math

from tinyml.counting import counted
from tinyml.duration import duration
from tinyml.schema import TrainConfig

AFTER_S = 10.0
"""So much of the first epoch is watched before anything is said."""

VALIDATION_SHARE = 1 / 3
"""An image of a validation costs about a third of one of training: a forward pass without the backward one."""


class FirstEstimate:
    """Watches the steps of a training's first epoch, and says once what they promise.

    Args:
        config: Of the training; nothing is said under a budget, which is the time it takes.
        steps: Of an epoch.
        batch_size: Images a step.
        validated: Images a validation.
    """

    def __init__(self, config: TrainConfig, steps: int, batch_size: int, validated: int) -> None:
        self._config, self._steps, self._batch_size, self._validated = config, steps, batch_size, validated
        self._first: tuple[int, float] | None = None
        self._done = config.budget is not None

    def after(self, step: int, seconds: float) -> str | None:
        """What is to be said after `step` steps, which took `seconds`; None: nothing.

        The first step that this process makes is left out of account: it takes longer than the others.
        """
        if self._first is None:
            self._first = (step, seconds)
        steps, took = step - self._first[0], seconds - self._first[1]
        if self._done or not steps or took < AFTER_S:
            return None
        self._done = True
        epochs = self._config.epochs
        checked = epochs * math.ceil(self._validated / self._batch_size) * VALIDATION_SHARE
        left = (epochs * self._steps - step + checked) * took / steps
        growing = ", more as the images grow" if self._config.resolution else ""
        told = counted(epochs, "epoch")
        return f"about {duration(left)} to go for {told} at {steps * self._batch_size / took:,.0f} images/s{growing}"
