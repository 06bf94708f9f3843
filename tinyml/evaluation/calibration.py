"""How far the probabilities of a classifier can be believed, and the temperature that mends them.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: fifteen equal bins of confidence, and one number
that divides all logits, fitted by the likelihood of images that are not judged by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml.numerics import log_softmax
from tinyml.schema import Calibration, ConfidenceBin

BINS = 15
SMALLEST, LARGEST = 0.05, 20.0
"""Between these the temperature is looked for."""


def calibration(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> Calibration:
    """The calibration of answers.

    Args:
        logits: [N, classes]; logarithms of probabilities serve as well.
        truth: The numbers of the true classes, [N], at least two.
    """
    bins = confidence_bins(logits, truth)
    fitted, judged = slice(0, None, 2), slice(1, None, 2)
    temperature = best_temperature(logits[fitted], truth[fitted])
    return Calibration(
        bins=tuple(bins),
        ece=expected_error(bins),
        temperature=temperature,
        ece_before=expected_error(confidence_bins(logits[judged], truth[judged])),
        ece_after=expected_error(confidence_bins(logits[judged] / temperature, truth[judged])),
    )


def confidence_bins(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> list[ConfidenceBin]:
    """Equal bins of the first class's probability; the lower edge belongs to the bin below."""
    probabilities = np.exp(log_softmax(logits))
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    edges = np.linspace(0, 1, BINS + 1)
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    found = []
    for n in range(BINS):
        inside = place == n
        found.append(
            ConfidenceBin(
                low=float(edges[n]),
                high=float(edges[n + 1]),
                images=int(inside.sum()),
                confidence=min(1.0, float(confidence[inside].mean())) if inside.any() else 0.0,
                accuracy=float(right[inside].mean()) if inside.any() else 0.0,
            )
        )
    return found


def expected_error(bins: list[ConfidenceBin]) -> float:
    """The expected calibration error, 0 to 1."""
    images = sum(b.images for b in bins)
    return sum(b.images * abs(b.confidence - b.accuracy) for b in bins) / images if images else 0.0


def best_temperature(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> float:
    """The temperature under which `truth` is most likely."""
    from scipy.optimize import minimize_scalar

    def loss(logarithm: float) -> float:
        rows = log_softmax(logits / np.exp(logarithm))
        return -float(rows[np.arange(len(truth)), truth].mean())

    found = minimize_scalar(loss, bounds=(np.log(SMALLEST), np.log(LARGEST)), method="bounded")
    return float(np.exp(found.x))
