"""The learning rate as a function of the step: linear warm-up, then the scheduler's curve.

A function of the step has no state to save, so a resumed run follows the same curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tinyml.registry import Registry
from tinyml.schema import TrainConfig

schedulers: Registry[Callable[[float], float]] = Registry("scheduler")
"""From how much of the training after the warm-up is over, in [0, 1), to the share of the full rate, in [0, 1]."""


@schedulers.register("cosine")
def cosine(progress: float) -> float:
    """Loshchilov, Hutter: SGDR, 2016 (https://arxiv.org/abs/1608.03983), without restarts, per iteration."""
    return 0.5 * (1.0 + math.cos(math.pi * progress))


@schedulers.register("linear")
def linear(progress: float) -> float:
    """Straight to zero, which suits short trainings (Bergsma et al., 2025, https://arxiv.org/abs/2502.15938)."""
    return 1.0 - progress


@schedulers.register("none")
def constant(_progress: float) -> float:
    """The full rate to the end."""
    return 1.0


def learning_rate(config: TrainConfig, step: float, steps_per_epoch: int) -> float:
    """The rate of the update number `step`, from 0, of the whole training; under a budget between two of them."""
    warmup = config.warmup_epochs * steps_per_epoch
    if step < warmup:
        return config.warmup_start_lr + (config.lr - config.warmup_start_lr) * min(1.0, (step + 1) / warmup)
    total = (config.total_epochs or config.epochs) * steps_per_epoch
    progress = (step - warmup) / max(1, total - warmup)
    return config.lr * schedulers.get(config.scheduler)(min(1.0, progress))
