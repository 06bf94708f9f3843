"""A plan for the wall time that a training may take: measured speeds, then epochs, image sizes and what suits them."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

import torch

from tinyml.duration import duration
from tinyml.errors import UsageError
from tinyml.machine import keep_freed_memory
from tinyml.schema import Budget, TrainConfig

from .architecture import INPUT_SIZE, architectures
from .data import Dataset, TrainBatches, images_an_epoch, trained_labels
from .data.resident import pixels
from .device import autocast, memory_format, synchronize
from .inference import for_inference
from .learner import Learner
from .objective import Objective, objective_of
from .pace import FINISH_SECONDS
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
FEWEST_PROBED, MOST_PROBED = 4, 20
"""Steps of one batch size: whole batches are tried where there is time for so many, and no more than so many."""
MOST_FINISHING = 0.25
"""Of the time left, that one validation may take."""
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
class Cost:
    """Seconds of a training step: some for each image, and some whatever the batch, which small networks feel."""

    image: float
    step: float = 0.0

    def rate(self, batch_size: int) -> float:
        """Images a second in batches of this size."""
        return batch_size / (self.step + batch_size * self.image)


@dataclass(frozen=True, kw_only=True)
class Took:
    """Seconds of a step, and of the update in it, which takes as long whatever the batch."""

    whole: float
    update: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Speeds:
    """What training steps cost by the size of their images, and the images a second in validation."""

    training: Mapping[int, Cost]
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
    processes: int = 1,
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
        processes: How many share each batch; this one tries its part of it alone.

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

    def tried(config: TrainConfig) -> Fitted:
        speeds = probe(config, dataset, device, start or Scratch(), seconds * PROBE_SHARE, objective, processes)
        images = images_an_epoch(dataset.split("train"), config)
        validation = min(len(dataset.split("val")), config.limit or 10**9)
        left = seconds - spent - (time.monotonic() - began)
        return fitted(seconds, left, recipe, first, changes, speeds, images, validation, processes)

    plan = tried(first)
    if plan.config.optimizer != first.optimizer:  # whose steps take another time
        plan = tried(changed(first, {"optimizer": plan.config.optimizer}))
    return plan


def fitted(
    seconds: float,
    left: float,
    recipe: str,
    first: TrainConfig,
    changes: Mapping[str, object],
    speeds: Speeds,
    images: int,
    validation: int,
    processes: int = 1,
) -> Fitted:
    """The plan for `left` of `seconds` at the speeds of each process, with so many `images` and of the `validation`."""
    answered = processes * speeds.validation
    most = min(validation, first.validate_images or validation)
    fewest = (
        most if "validate_images" in changes else min(most, FEWEST_VALIDATED, int(MOST_FINISHING * left * answered))
    )
    training = left - FINISH_SECONDS - max(left * VALIDATION_SHARE, fewest / answered)
    slowest = min(cost.rate(PROBE_BATCH) for cost in speeds.training.values())
    if training * slowest < FEWEST_STEPS * PROBE_BATCH:
        raise UsageError(
            "--budget is too short for this machine, which trains "
            f"{slowest:.2g} images of {max(speeds.training)} pixels a second",
            value=duration(seconds),
            allowed=f"some {duration(max(2 * seconds, FEWEST_STEPS * PROBE_BATCH / slowest + seconds - left))}",
        )

    def rate(config: TrainConfig, size: int) -> float:
        batch = min(config.batch_size, images)
        return processes * speeds.training[size].rate(max(1, batch // processes))

    def made_for(passes: float, epochs: float) -> TrainConfig:
        changed_too = {**_growing(first.model), **changes, "epochs": max(1, round(epochs))}
        return configure(recipe, first.model, first.data, changed_too, passes=passes, images=images)

    def there_is_time_for(config: TrainConfig) -> float:
        pace = sum(share / rate(config, size) for share, size in zip(shares(config), sizes(config), strict=True))
        return training / (pace * images)

    fitting = _crossing(lambda passes: there_is_time_for(made_for(passes, passes)) - passes)
    passes = there_is_time_for(made_for(fitting, fitting))
    config = made_for(fitting, passes)
    validations = max(1, int(passes + 0.999))
    validated = max(fewest, min(most, int(left * VALIDATION_SHARE * answered / validations)), 1)
    if validated < validation:
        config = changed(config, {"validate_images": validated})
    parts = tuple(
        passes * images * share / rate(config, size) for share, size in zip(shares(config), sizes(config), strict=True)
    )
    budget = Budget(
        seconds=seconds,
        phase_seconds=parts,
        finish_seconds=validated / answered + FINISH_SECONDS,
        planning_seconds=max(0.0, seconds - left),
    )
    config = changed(config, {"budget": budget})
    spoken = ", ".join(
        f"{passes * share:.2g} at {size} px ({rate(config, size):,.0f} images/s, {duration(took)})"
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


def _crossing(too_few: Callable[[float], float]) -> float:
    """Passes at which those that a configuration is made for are those that it has time for.

    What a recipe changes with the passes changes their cost: what leaps may leave no such number, and then these are
    the passes below the leap.
    """
    low, high = 1e-3, 1.0
    while too_few(high) > 0:
        low, high = high, 2.0 * high
    for _ in range(20):
        middle = (low + high) / 2.0
        low, high = (middle, high) if too_few(middle) > 0 else (low, middle)
    return low


def probe(
    config: TrainConfig,
    dataset: Dataset,
    device: torch.device,
    start: Start,
    seconds: float,
    objective: Objective | None = None,
    processes: int = 1,
) -> Speeds:
    """Trains a network for some steps at each size, and has it answer some images; it is thrown away.

    The cheapest size and small batches come first, so that a slow machine is known soon; whole batches, or as large
    ones as there is time for, follow. What would take longer than `seconds` is estimated from that, by the number of
    pixels and as three times as fast without a backward pass.
    """
    keep_freed_memory()
    index, split = dataset.index, dataset.split("train")
    training: dict[int, Cost] = {}
    objective = objective or objective_of(config, trained_labels(dataset, config), len(index.labels))
    learner = Learner(start.network(config, index.labels), objective, config, device)
    learner.begin()
    every, began = sizes(config), time.monotonic()
    source = pixels(split, device, shown=len(split))
    whole = max(1, config.batch_size // processes)
    for size in every:
        known = _estimated(training, size)
        if known is not None and time.monotonic() - began + 3 * PROBE_BATCH / known.rate(PROBE_BATCH) > seconds:
            training[size] = known
            continue
        took: dict[int, Took] = {}
        until = time.monotonic() + seconds / (len(every) + 1)
        for share in (0.3, 1.0):
            left = until - time.monotonic()
            wanted = _larger(_cost(took), whole, left) if took else min(whole, PROBE_BATCH)
            if wanted is None:
                continue
            sized = changed(config, {"resolution": str(size), "batch_size": wanted})
            batches = TrainBatches(split, sized, index.preprocess, len(index.labels), device, pixels=source)
            if batches.batch_size not in took:
                took[batches.batch_size] = _step(learner, batches, share * left, device)
        training[size] = _cost(took)
    fastest = training[every[-1]].rate(whole)
    return Speeds(
        training=training, validation=_answering(learner, config, fastest, seconds / (len(every) + 1), device)
    )


def _larger(known: Cost, whole: int, seconds: float) -> int | None:
    """The batch to try after a small one: a whole one or what there is time for; None: no time for one twice as big."""
    larger = min(whole, int((seconds / (FEWEST_PROBED + 1) - known.step) / known.image))
    return larger if larger >= min(whole, 2 * PROBE_BATCH) else None


def _cost(took: Mapping[int, Took]) -> Cost:
    """What a step costs by the steps of one or two batch sizes."""
    small, large = min(took), max(took)
    if small < large:
        image = (took[large].whole - took[small].whole) / (large - small)
        step = took[large].whole - large * image
        if image > 0 and step >= 0:
            return Cost(image=image, step=step)
    update = took[large].update
    return Cost(image=(took[large].whole - update) / large, step=update)


def _estimated(known: Mapping[int, Cost], size: int) -> Cost | None:
    """The cost at `size` by that of a smaller size and the number of pixels; None: none is known."""
    if not known:
        return None
    nearest = known[max(known)]
    return Cost(image=nearest.image * (size / max(known)) ** 2, step=nearest.step)


def _answering(learner: Learner, config: TrainConfig, training: float, seconds: float, device: torch.device) -> float:
    """Images a second in a validation."""
    if PROBE_BATCH / training > seconds:
        return 3 * training
    network = for_inference(learner.result, device)
    images = torch.zeros(PROBE_BATCH, 3, INPUT_SIZE, INPUT_SIZE, device=device)
    images = images.contiguous(memory_format=memory_format(device))
    took: list[float] = []
    until = time.monotonic() + seconds
    with torch.inference_mode(), autocast(device, config.precision):
        while len(took) < 2 or (len(took) < MOST_PROBED and time.monotonic() < until):
            began = time.monotonic()
            network(images)
            synchronize(device)
            took.append(max(1e-9, time.monotonic() - began))
    return len(images) / statistics.median(took[1:])


def _step(learner: Learner, batches: TrainBatches, seconds: float, device: torch.device) -> Took:
    """Of the median step after the first, its wait for a batch included."""
    began = time.monotonic()
    took: list[float] = []
    updates: list[float] = []
    epoch, before = 0, None
    while not took or (len(took) < MOST_PROBED and time.monotonic() - began < seconds):
        epoch += 1
        for batch in islice(batches.epoch(epoch), MOST_PROBED + 1):
            learner.answer(batch)
            synchronize(device)
            answered = time.monotonic()
            learner.learn(1e-6)
            synchronize(device)
            now = time.monotonic()
            updates.append(now - answered)
            if before is not None:
                took.append(now - before)
            before = now
            if took and now - began >= seconds:
                break
    whole = max(1e-9, statistics.median(took))
    return Took(whole=whole, update=min(statistics.median(updates), 0.99 * whole))


def _growing(model: str) -> dict[str, object]:
    return {"resolution": GROWING} if int(GROWING.split(":")[0]) >= architectures.get(model).smallest else {}
