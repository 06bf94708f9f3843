"""Which images of the training split are trained on: all, or so many of each class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml.errors import UsageError
from tinyml.schema import TrainConfig

from .dataset import Split


def trained_images(split: Split, config: TrainConfig) -> npt.NDArray[np.int64]:
    """The indices of the images to train on: all, or `config.shots` of each class, drawn by the seed.

    Raises:
        UsageError: A class has fewer.
    """
    if config.shots is None:
        return np.arange(len(split), dtype=np.int64)
    random = np.random.default_rng(config.seed)
    chosen = []
    for label in np.unique(split.labels):
        members = np.flatnonzero(split.labels == label)
        if len(members) < config.shots:
            raise UsageError(
                "--shots: a class has fewer training images", value=config.shots, allowed=f"at most {len(members)}"
            )
        chosen.append(random.permutation(members)[: config.shots])
    return np.sort(np.concatenate(chosen)).astype(np.int64)
