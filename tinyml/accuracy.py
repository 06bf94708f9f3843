"""Accuracy: what every trained or exported classifier can be asked, and how its answers are counted.

It lies below training, which chooses its best checkpoint by it, and below `tinyml.evaluation`, which opens what can be
asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import DataError, InputError, UnknownNameError
from tinyml.numerics import log_softmax, ranks_of
from tinyml.progress import Progress, Silent
from tinyml.schema import SPLITS, Metrics, ModelSpec, Preprocess, SplitName

Images = NDArray[np.uint8]
"""RGB, [N, H, W, 3]."""
Scores = NDArray[np.float32]
"""[N, classes]."""

BATCH = 128
FIVE = 5
"""With so many classes or fewer, everything is among the first five, which says nothing."""
SUBSET_SEED = 0


class Predictor(Protocol):
    """A classifier of uint8 RGB images, whatever executes it."""

    @property
    def spec(self) -> ModelSpec:
        """What it is: labels, preprocessing."""

    def probabilities(self, images: Images) -> Scores:
        """Images [N, H, W, 3] of the size in `spec.preprocess` to probabilities [N, classes]."""

    def logits(self, images: Images) -> Scores | None:
        """Images [N, H, W, 3] to logits [N, classes]; None where only the probabilities can be had."""


class LabeledImages(Protocol):
    """A split of a data set."""

    @property
    def images(self) -> Images:
        """Uint8 [N, H, W, 3]."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Int64 [N]."""


class Sharing(Protocol):
    """Processes that measure parts of the same images, one of which is this one."""

    rank: int
    size: int

    def sums(self, values: Sequence[float]) -> list[float]:
        """The sums over all of them."""


def split_named(name: str) -> SplitName:
    """The split of that name; raises UnknownNameError."""
    for split in SPLITS:
        if split == name:
            return split
    raise UnknownNameError("split", name, SPLITS)


def check_images(images: Images, preprocess: Preprocess) -> None:
    """Raises InputError unless `images` is uint8 [N, H, W, 3] of the input size."""
    size = preprocess.input_size
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (size, size, 3):
        raise InputError(
            "images do not fit the model",
            value=f"{images.dtype} {images.shape}",
            allowed=f"uint8 [N, {size}, {size}, 3]",
        )


def subset(total: int, limit: int | None, labels: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Which of `total` images stand for all of them: the first `limit` of one fixed random order.

    Args:
        total: The number of images.
        limit: How many to take; None, or as many as there are: all, in their own order.
        labels: Their classes [total]. When given, the order deals the classes out in rounds, one image of each a round,
            so that every class is as often in the subset as any other, give or take one (as far as there are images).

    Returns:
        Distinct indices [min(limit, total)]; a smaller limit gives a prefix of a larger one's.
    """
    if limit is None or limit >= total:
        return np.arange(total, dtype=np.int64)
    order = np.random.default_rng(SUBSET_SEED).permutation(total).astype(np.int64)
    if labels is not None:
        seen = np.zeros(int(labels.max()) + 1, np.int64)
        rounds = np.empty(total, np.int64)
        for place, index in enumerate(order):
            rounds[place] = seen[labels[index]]
            seen[labels[index]] += 1
        order = order[np.argsort(rounds, kind="stable")]
    return order[:limit]


def accuracy_on(
    predictor: Predictor,
    split: LabeledImages,
    split_name: SplitName,
    *,
    limit: int | None = None,
    progress: Progress | None = None,
    team: Sharing | None = None,
) -> Metrics:
    """Top-1 and top-5 accuracy and mean cross-entropy of `predictor` on a split, or on `limit` images of it.

    With a `team` each of its processes looks at a part of them, and all get the same result.

    A class counts as ranked above another only if its score is larger, or equal with a smaller number; a score that is
    not a number is never right. With five classes or fewer, top-5 is None: it would be 1
    for every finite answer.

    Raises:
        DataError: The split is empty, or has classes that the predictor does not know.
    """
    labels = np.asarray(split.labels)
    if not len(labels):
        raise DataError(f"the {split_name} split has no images", hint="measure on another split")
    if int(labels.max()) >= predictor.spec.classes:
        raise DataError(
            f"the {split_name} split has more classes than the model",
            value=int(labels.max()) + 1,
            allowed=f"at most {predictor.spec.classes}",
        )
    progress = progress or Silent()
    every = subset(len(labels), limit, labels)
    chosen = every if team is None else every[team.rank :: team.size]
    right1 = right5 = 0
    loss = 0.0
    progress.start(f"evaluating on {split_name}", len(chosen), "images")
    for begin in range(0, len(chosen), BATCH):
        indices = chosen[begin : begin + BATCH]
        images, truth = np.asarray(split.images[indices]), labels[indices]
        scores = predictor.logits(images)
        log_probabilities = (
            log_softmax(scores)
            if scores is not None
            else np.log(np.maximum(predictor.probabilities(images).astype(np.float64), np.finfo(np.float32).tiny))
        )
        ranks = ranks_of(log_probabilities if scores is None else scores, truth)
        right1 += int((ranks < 1).sum())
        right5 += int((ranks < 5).sum())
        loss -= float(log_probabilities[np.arange(len(truth)), truth].sum())
        progress.advance(len(indices))
    progress.finish()
    first, five, lost = (right1, right5, loss) if team is None else team.sums((right1, right5, loss))
    return Metrics(
        split=split_name,
        top1=first / len(every),
        top5=five / len(every) if predictor.spec.classes > FIVE else None,
        images=len(every),
        total=len(labels),
        loss=lost / len(every) if np.isfinite(lost) else None,
    )
