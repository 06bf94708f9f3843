"""The classes of image files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyml.accuracy import Predictor
from tinyml.numerics import best_classes
from tinyml.trainer.data import load_image


@dataclass(frozen=True, kw_only=True)
class ScoredLabel:
    """A class and its probability, 0 to 1."""

    label: str
    probability: float


def classify(predictor: Predictor, images: Sequence[Path], top_k: int) -> list[tuple[ScoredLabel, ...]]:
    """The `top_k` first classes of each image file, best first; files of any size are prepared as in training.

    Raises:
        DataError: A file is no image.
    """
    spec = predictor.spec
    scores = predictor.probabilities(np.stack([load_image(image, spec.preprocess) for image in images]))
    return [
        # Half precision may round a probability to a little more than 1.
        tuple(ScoredLabel(label=spec.labels[i], probability=min(1.0, float(row[i]))) for i in order)
        for row, order in zip(scores, best_classes(scores, top_k), strict=True)
    ]
