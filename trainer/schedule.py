"""The learning rate as a function of the step: linear warm-up, then a cosine or a constant.

Loshchilov, Hutter: SGDR, 2016 (https://arxiv.org/abs/1608.03983), without restarts, per iteration. A function of the
step has no state to save, so a resumed run follows the same curve.
"""

from __future__ import annotations

import math

from tinyml.schema import TrainConfig


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """The rate of the update number `step`, from 0, of the whole training."""
    warmup = config.warmup_epochs * steps_per_epoch
    if step < warmup:
        return config.warmup_start_lr + (config.lr - config.warmup_start_lr) * (step + 1) / warmup
    if config.scheduler == "none":
        return config.lr
    total = (config.total_epochs or config.epochs) * steps_per_epoch
    progress = (step - warmup) / max(1, total - warmup)
    return 0.5 * config.lr * (1.0 + math.cos(math.pi * min(1.0, progress)))
