"""Which precision trains faster: measured on the device, since it depends on the network as much as on the processor.

A network of plain convolutions trains twice as fast in bfloat16 on a CPU that multiplies it; one of depthwise
convolutions, which stay in float32 there (`DepthwiseConv2d`), 1.3 to 1.7 times as fast.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from tinyml.machine import keep_freed_memory
from tinyml.schema import TrainConfig

from .data import Dataset, TrainBatches, images_an_epoch, trained_labels
from .data.resident import Pixels, pixels
from .device import Precision, bf16_absence, cpu_multiplies_bf16, synchronize
from .learner import Learner
from .objective import objective_of
from .recipe import changed
from .resolution import sizes
from .start import Start

KINDS: tuple[Precision, ...] = ("fp32", "bf16")
SECONDS = 20.0
"""That trying may take where no budget says less."""
CPU_BATCH = 16
"""Images of a step that is tried on a CPU; other devices, which small batches leave idle, are given whole ones."""
STEPS = 5
"""Timed in each precision, in turn."""
SMALLEST_SHARE = 100
"""Trainings of fewer images than so many times those of the trial are not worth one."""
GAIN = 1.1
"""How much faster bfloat16, which rounds coarsely, has to be to be chosen."""


@dataclass(frozen=True, kw_only=True)
class Quicker:
    """The precision to train in, and the measurement in words; None: there was nothing to measure, or no time."""

    precision: Precision
    words: str | None = None


def worth_trying(device: torch.device) -> bool:
    """Whether `device` computes in bfloat16 at all; a CPU without instructions for it is slower for certain."""
    return cpu_multiplies_bf16() if device.type == "cpu" else bf16_absence(device) is None


def quicker(
    config: TrainConfig,
    dataset: Dataset,
    device: torch.device,
    start: Start,
    seconds: float = SECONDS,
    *,
    worth_trying: Callable[[torch.device], bool] = worth_trying,
) -> Quicker:
    """float32, or bfloat16 where steps at the full size are faster in it; the network that is tried is thrown away.

    Args:
        config: The training; a compiled network is tried as it is without.
        dataset: The data.
        device: Where to compute.
        start: Where the network comes from.
        seconds: How long to try; where the first steps show that this is too short, float32 stays.
        worth_trying: Whether a device may be faster in bfloat16.
    """
    if not worth_trying(device):
        return Quicker(precision="fp32")
    split = dataset.split("train")
    tried = changed(config, {"resolution": str(sizes(config)[-1]), "compiled": False})
    if device.type == "cpu":
        tried = changed(tried, {"batch_size": min(config.batch_size, CPU_BATCH), "accumulate": 1})
    trained = images_an_epoch(split, config) * config.epochs
    if trained < SMALLEST_SHARE * tried.batch_size * len(KINDS) * (STEPS + 1):
        return Quicker(precision="fp32")
    keep_freed_memory()
    source = pixels(split, device, shown=len(split))
    steps = {kind: _step(changed(tried, {"precision": kind}), dataset, device, start, source) for kind in KINDS}
    began = time.monotonic()
    for step in steps.values():  # a first step makes what the others find made
        step()
    if (time.monotonic() - began) * STEPS > seconds:
        return Quicker(precision="fp32")
    took: dict[Precision, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(STEPS):
        for kind, step in steps.items():
            took[kind].append(step())
    gain = statistics.median(a / b for a, b in zip(took["fp32"], took["bf16"], strict=True))
    if gain < GAIN:
        return Quicker(precision="fp32", words=f"in float32: bfloat16 would be {gain:.2g} times as fast")
    return Quicker(precision="bf16", words=f"in bfloat16: {gain:.2g} times as fast as float32")


def _step(
    config: TrainConfig, dataset: Dataset, device: torch.device, start: Start, source: Pixels
) -> Callable[[], float]:
    """What trains a network of its own by the same batch again and again, and says how long it took."""
    index, split = dataset.index, dataset.split("train")
    objective = objective_of(config, trained_labels(dataset, config), len(index.labels))
    learner = Learner(start.network(config, index.labels), objective, config, device)
    learner.begin()
    batches = TrainBatches(split, config, index.preprocess, len(index.labels), device, pixels=source)
    batch = next(iter(batches.epoch(1)))

    def step() -> float:
        synchronize(device)
        began = time.perf_counter()
        learner.answer(batch)
        learner.learn(1e-6)
        synchronize(device)
        return max(1e-9, time.perf_counter() - began)

    return step
