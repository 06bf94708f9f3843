"""A learning-rate range test: the loss while the rate grows from too small to too large in one short training.

Smith, Cyclical Learning Rates for Training Neural Networks, 2015 (https://arxiv.org/abs/1506.01186).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch

from tinyml.errors import TrainingError, UsageError
from tinyml.machine import keep_freed_memory
from tinyml.progress import Progress, Silent
from tinyml.schema import LrPoint, LrRange, TrainConfig
from tinyml.store import provenance

from . import checkpoint
from .data import Batch, Dataset, TrainBatches
from .device import device_name
from .learner import Learner
from .memory import out_of_memory_told
from .objective import Objective
from .recipe import changed
from .start import Start, begun

SMOOTHING = 0.9
"""Of the loss: the share of what was before."""
DIVERGED = 4.0
"""The test ends where the smoothed loss is so many times the least one."""
SETTLED_STEPS = 10
"""Before which it does not end, and nothing is suggested."""
FEWEST_STEPS = 20


def lr_range(
    config: TrainConfig,
    dataset: Dataset,
    device: torch.device,
    objective: Objective,
    start: Start,
    *,
    first: float = 1e-5,
    last: float = 10.0,
    steps: int = 100,
    progress: Progress = Silent(),
) -> LrRange:
    """Trains for `steps` steps at rates from `first` to `last`, each larger than the one before by the same factor.

    Raises:
        UsageError: A value out of range.
        TrainingError: Memory ran out, or the loss was no number from the first step on.
    """
    if not 0 < first < last:
        raise UsageError("--from out of range", value=first, allowed=f"above 0 and below --to, {last:g}")
    if steps < FEWEST_STEPS:
        raise UsageError("--steps out of range", value=steps, allowed=f"at least {FEWEST_STEPS}")
    keep_freed_memory()
    config = changed(config, {"ema_decay": None})
    index, split = dataset.index, dataset.split("train")
    learner = Learner(begun(start, config, dataset), objective, config, device)
    batches = TrainBatches(split, config, index.preprocess, len(index.labels), device)
    learner.begin()
    points: list[LrPoint] = []
    average, least = 0.0, math.inf
    progress.start("trying learning rates", steps, "steps")
    with out_of_memory_told(config.batch_size):
        for step, batch in enumerate(itertools.islice(_endless(batches), steps)):
            lr = first * (last / first) ** (step / (steps - 1))
            loss = learner.answer(batch).loss.item()
            if not math.isfinite(loss):
                break
            average = SMOOTHING * average + (1 - SMOOTHING) * loss
            smoothed = average / (1 - SMOOTHING ** (step + 1))
            points.append(LrPoint(lr=lr, loss=loss, smoothed_loss=smoothed))
            least = min(least, smoothed)
            progress.advance(1, f"loss {smoothed:.3f}  lr {lr:.2g}")
            if step >= SETTLED_STEPS and smoothed > DIVERGED * least:
                break
            learner.learn(lr)
    progress.finish()
    if not points:
        raise TrainingError("the loss is not a finite number in the first step", hint="look at the images and labels")
    return LrRange(
        config=config,
        device=device_name(device),
        points=tuple(points),
        suggested_lr=steepest(points),
        provenance=provenance(packages=checkpoint.PACKAGES, limit=config.limit),
    )


def steepest(points: list[LrPoint]) -> float | None:
    """The rate at which the smoothed loss falls fastest against the rate's logarithm; None: it never falls."""
    settled = points[SETTLED_STEPS:]
    slopes = [
        ((after.smoothed_loss - before.smoothed_loss) / math.log(after.lr / before.lr), at.lr)
        for before, at, after in zip(settled, settled[1:], settled[2:], strict=False)
    ]
    slope, lr = min(slopes, default=(0.0, 0.0))
    return lr if slope < 0 else None


def _endless(batches: TrainBatches) -> Iterator[Batch]:
    """The first epoch's place in the schedule throughout: the sizes and the mixing that a training begins with."""
    for epoch in itertools.count(1):
        yield from batches.epoch(epoch, pace=_First())


class _First:
    """A Pace that stays at the beginning."""

    seconds = 0.0

    def at(self, step: int) -> float:  # noqa: ARG002
        return 0.0

    def over(self, step: int) -> bool:  # noqa: ARG002
        return False

    def validated(self, seconds: float) -> None:
        pass
