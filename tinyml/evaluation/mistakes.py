"""Which classes are told right, and which are taken for which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml.schema import ClassAccuracy, ConfusedPair


def by_class(truth: NDArray[np.int64], answers: NDArray[np.int64], labels: tuple[str, ...]) -> list[ClassAccuracy]:
    """A row a class of `labels`; `truth` and `answers` are numbers of classes, [N]."""
    images = np.bincount(truth, minlength=len(labels))
    right = np.bincount(truth[truth == answers], minlength=len(labels))
    return [ClassAccuracy(label=label, images=int(images[n]), right=int(right[n])) for n, label in enumerate(labels)]


def confused_pairs(truth: NDArray[np.int64], answers: NDArray[np.int64]) -> list[ConfusedPair]:
    """Every pair of a class and what it was taken for, the most frequent first, then by number."""
    wrong = truth != answers
    pairs, counts = np.unique(np.stack([truth[wrong], answers[wrong]]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], pairs[0], -counts))
    return [ConfusedPair(truth=int(pairs[0, n]), answer=int(pairs[1, n]), images=int(counts[n])) for n in order]
