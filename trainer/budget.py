"""A plan for the wall time that a training may take: measured speeds, then epochs, image sizes and what suits them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import torch

from tinyml.errors import UsageError
from tinyml.schema import Budget, TrainConfig

from .architecture import INPUT_SIZE, architectures
from .data import Dataset, TrainBatches, images_an_epoch
from .device import memory_format
from .duration import duration
from .learner import Learner
from .memory import keep_freed_memory
from .objective import Objective, objective_of
from .recipe import changed, configure
from .resolution import shares, sizes
from .start import Scratch, Start

GROWING = "32:48:64"
PROBE_BATCH = 16
PROBE_SHARE = 0.02
"""Of the budget, that measuring may take."""
VALIDATION_SHARE = 0.05
"""Of the budget, that all validations together may take."""
FEWEST_VALIDATED = 500
FEWEST_STEPS = 5
FINISH_SECONDS = 2.0
"""Kept for the last save and the plot, whatever the validation takes."""
IN_ADVANCE = ("epochs", "total_epochs")

_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(text: str) -> float:
    """The seconds of "45m", "2h", "1h30m", "90s"; raises UsageError."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(min|[smhd])\s*", text)
    whole = "".join(re.split(r"\s+", text))
    if not parts or "".join(number + unit for number, unit in parts) != whole:
        raise UsageError("--budget is no time", value=text, allowed="such as 45m, 2h, 1h30m or 90s")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 10.0 <= seconds <= 60 * _UNITS["d"]:
        raise UsageError("--budget out of range", value=text, allowed="10s to 60d")
    return seconds


@dataclass(frozen=True, kw_only=True)
class Speeds:
    """Images a second: in training by their size, and in validation."""

    training: Mapping[int, float]
    validation: float


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The configuration that fits a budget, and in words what was chosen and why."""

    config: TrainConfig
    words: tuple[str, ...]


def fit(
    seconds: float,
    recipe: str,
    model: str,
    data: str,
    changes: Mapping[str, object],
    dataset: Dataset,
    device: torch.device,
    *,
    start: Start | None = None,
    objective: Objective | None = None,
    spent: float = 0.0,
) -> Fitted:
    """Tries the first steps and fits a training of `model` into `seconds`.

    Args:
        seconds: The budget.
        recipe: What decides all but the lengths.
        model: An architecture.
        data: The data set's name.
        changes: Fields of TrainConfig that the user gave; they stand.
        dataset: The data.
        device: Where to compute.
        start: Where the network comes from; None: from scratch. The network that is tried is thrown away.
        objective: What is minimized; None: what the configuration says.
        spent: Seconds of the budget that are gone already.

    Raises:
        UsageError: A length is given twice, or a value is out of range.
    """
    for name in IN_ADVANCE:
        if name in changes:
            raise UsageError(
                f"--budget decides the length: leave --{name.replace('_', '-')} out, or --budget",
                value=changes[name],
            )
    began = time.monotonic()
    first = configure(recipe, model, data, {**_growing(model), **changes})
    speeds = probe(first, dataset, device, start or Scratch(), seconds * PROBE_SHARE, objective)
    images = images_an_epoch(dataset.split("train"), first)
    validation = min(len(dataset.split("val")), first.limit or 10**9)
    left = seconds - spent - (time.monotonic() - began)
    return fitted(seconds, left, recipe, first, changes, speeds, images, validation)


def fitted(
    seconds: float,
    left: float,
    recipe: str,
    first: TrainConfig,
    changes: Mapping[str, object],
    speeds: Speeds,
    images: int,
    validation: int,
) -> Fitted:
    """The plan for `left` of `seconds` at these speeds, with `images` an epoch and `validation` in that split."""
    training = left * (1.0 - VALIDATION_SHARE) - FINISH_SECONDS
    config = first
    slowest = min(speeds.training.values())
    if training * slowest < FEWEST_STEPS * PROBE_BATCH:
        raise UsageError(
            "--budget is too short for this machine, which trains "
            f"{slowest:.2g} images of {max(speeds.training)} pixels a second",
            value=duration(seconds),
            allowed=f"some {duration(max(2 * seconds, FEWEST_STEPS * PROBE_BATCH / slowest + seconds - left))}",
        )
    # The share at full size depends on the number of epochs, and that on the share.
    for _ in range(4):
        pace = sum(share / speeds.training[size] for share, size in zip(shares(config), sizes(config), strict=True))
        passes = max(training, 1.0) / (pace * images)
        lengths = {"epochs": max(1, round(passes))}
        config = configure(
            recipe,
            first.model,
            first.data,
            {**_growing(first.model), **changes, **lengths},
            passes=passes,
            images=images,
        )
    validations = max(1, int(passes + 0.999))
    affordable = int(left * VALIDATION_SHARE * speeds.validation / validations)
    validated = min(validation, max(FEWEST_VALIDATED, affordable))
    if "validate_images" not in changes and validated < validation:
        config = changed(config, {"validate_images": validated})
    validated = min(validation, config.validate_images or validation)
    parts = tuple(
        passes * images * share / speeds.training[size]
        for share, size in zip(shares(config), sizes(config), strict=True)
    )
    budget = Budget(seconds=seconds, phase_seconds=parts, finish_seconds=validated / speeds.validation + FINISH_SECONDS)
    config = changed(config, {"budget": budget})
    spoken = ", ".join(
        f"{passes * share:.2g} at {size} px ({speeds.training[size]:,.0f} images/s, {duration(took)})"
        for share, size, took in zip(shares(config), sizes(config), parts, strict=True)
    )
    mixing = config.mix_probability if config.mixup_alpha or config.cutmix_alpha else 0.0
    return Fitted(
        config=config,
        words=(
            f"{duration(seconds)} are about {passes:.2g} passes over {images:,} images: {spoken}",
            f"chosen: {config.optimizer}, learning rate {config.lr:.2g} ({config.scheduler}), batches of "
            f"{config.batch_size}, weight decay {config.weight_decay:g}, "
            + (f"{mixing:.0%} of the images mixed" if mixing else "no mixing")
            + f"; validated on {validated:,} of {validation:,} images",
        ),
    )


def probe(
    config: TrainConfig,
    dataset: Dataset,
    device: torch.device,
    start: Start,
    seconds: float,
    objective: Objective | None = None,
) -> Speeds:
    """Trains a network for some steps at each size, and has it answer some images; it is thrown away.

    Batches are small and the cheapest size comes first, so that a slow machine is known soon: what would take longer
    than `seconds` is estimated from that, by the number of pixels and as three times as fast without a backward pass.
    """
    keep_freed_memory()
    index, split = dataset.index, dataset.split("train")
    training: dict[int, float] = {}
    objective = objective or objective_of(config, split.labels, len(index.labels))
    learner = Learner(start.network(config, index.labels), objective, config, device)
    learner.begin()
    every, began = sizes(config), time.monotonic()
    for size in every:
        known = size_speed(training, size)
        if known is not None and time.monotonic() - began + 3 * PROBE_BATCH / known > seconds:
            training[size] = known
            continue
        sized = changed(config, {"resolution": str(size), "batch_size": min(config.batch_size, PROBE_BATCH)})
        batches = TrainBatches(split, sized, index.preprocess, len(index.labels), device)
        training[size] = _rate(learner, batches, seconds / (len(every) + 1), device)
    return Speeds(training=training, validation=_answering(learner, training[every[-1]], seconds, device))


def size_speed(known: Mapping[int, float], size: int) -> float | None:
    """Images a second at `size` by those of a smaller size and the number of pixels; None: none is known."""
    return known[max(known)] * (max(known) / size) ** 2 if known else None


def _answering(learner: Learner, training: float, seconds: float, device: torch.device) -> float:
    if PROBE_BATCH / training > seconds:
        return 3 * training
    learner.network.eval()
    images = torch.zeros(PROBE_BATCH, 3, INPUT_SIZE, INPUT_SIZE, device=device)
    images = images.contiguous(memory_format=memory_format(device))
    with torch.inference_mode():
        learner.network(images)
        _wait(device)
        began = time.monotonic()
        learner.network(images)
        _wait(device)
    return len(images) / max(1e-9, time.monotonic() - began)


def _rate(learner: Learner, batches: TrainBatches, seconds: float, device: torch.device) -> float:
    """Images a second, by the median step after the first."""
    began = time.monotonic()
    took: list[float] = []
    epoch = 0
    while not took or (len(took) < 20 and time.monotonic() - began < seconds):
        epoch += 1
        for number, batch in enumerate(islice(batches.epoch(epoch), 21)):
            since = time.monotonic() if number else None
            learner.answer(batch)
            learner.learn(1e-6)
            _wait(device)
            if since is not None or len(batches) == 1:
                took.append(time.monotonic() - (since or began))
            if took and time.monotonic() - began >= seconds:
                break
    return batches.batch_size / max(1e-9, sorted(took)[len(took) // 2])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _growing(model: str) -> dict[str, object]:
    return {"resolution": GROWING} if architectures.get(model).takes_any_size else {}
