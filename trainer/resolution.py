"""The size of the training images, which may grow during a training: early epochs need no details and cost less.

The idea: Howard et al., 2018 (https://www.fast.ai/posts/2018-04-30-dawnbench-fastai.html); accuracy is measured at the
data set's own size throughout.
"""

from __future__ import annotations

from tinyml.errors import UsageError
from tinyml.schema import TrainConfig

from .architecture import INPUT_SIZE, architectures

STEP = 8


def sizes(config: TrainConfig) -> tuple[int, ...]:
    """The sizes of the training images in their order."""
    return tuple(int(size) for size in config.resolution.split(":")) if config.resolution else (INPUT_SIZE,)


def shares(config: TrainConfig) -> tuple[float, ...]:
    """Which share of the epochs each of `sizes` has."""
    count = len(sizes(config))
    if count == 1:
        return (1.0,)
    return (*((1.0 - config.full_size_share) / (count - 1),) * (count - 1), config.full_size_share)


def size_at(config: TrainConfig, done: float) -> int:
    """The size of the images when `done` of the epochs, in [0, 1], are over."""
    every = sizes(config)
    ends = 0.0
    for size, share in zip(every, shares(config), strict=True):
        ends += share
        if done < ends - 1e-9:
            return size
    return every[-1]


def check_resolution(config: TrainConfig) -> None:
    """Raises UsageError for sizes that the network does not take, or that do not grow."""
    every = sizes(config)
    if config.resolution is None:
        return
    smallest = architectures.get(config.model).smallest
    allowed = range(smallest, INPUT_SIZE + 1, STEP)
    if list(every) != sorted(set(every)) or any(size not in allowed for size in every):
        able = [name for name, entry in architectures.items() if entry.smallest < smallest]
        raise UsageError(
            f"--resolution of {config.model} out of range",
            value=config.resolution,
            allowed=f"growing multiples of {STEP} from {smallest} to {INPUT_SIZE}, as 32:48:64"
            if smallest < INPUT_SIZE
            else f"{INPUT_SIZE}, to which its weights belong",
            hint=f"models that take smaller ones: {', '.join(able)}" if able else None,
        )
