"""Which images of the training split are trained on: all, or so many of each class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml.errors import UsageError
from tinyml.schema import TrainConfig

from .dataset import Dataset, Split


def trained_images(split: Split, config: TrainConfig) -> npt.NDArray[np.int64]:
    """The indices of the images to train on: all, or `config.shots` of each class, drawn by the seed.

    Raises:
        UsageError: A class has fewer.
    """
    if config.shots is None:
        return np.arange(len(split), dtype=np.int64)
    random = np.random.default_rng(config.seed)
    classes, counts = np.unique(split.labels, return_counts=True)
    if (fewest := int(counts.min(initial=config.shots))) < config.shots:
        raise UsageError("--shots: a class has fewer training images", value=config.shots, allowed=f"at most {fewest}")
    chosen = [random.permutation(np.flatnonzero(split.labels == label))[: config.shots] for label in classes]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def trained_labels(dataset: Dataset, config: TrainConfig) -> npt.NDArray[np.int64]:
    """The classes of the images to train on, as `trained_images` chooses them."""
    split = dataset.split("train")
    labels: npt.NDArray[np.int64] = split.labels[trained_images(split, config)]
    return labels
