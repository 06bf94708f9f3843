"""How scores become probabilities, ranks and figures of likeness: pure functions of arrays, each of them only here."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def softmax(logits: Array) -> NDArray[np.float64]:
    """Logits [N, classes] to probabilities [N, classes], computed in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    probabilities: NDArray[np.float64] = shifted / shifted.sum(1, keepdims=True)
    return probabilities


def log_softmax(logits: Array) -> NDArray[np.float64]:
    """Logits [N, classes] to logarithms of probabilities; not a number where a logit is infinite."""
    with np.errstate(invalid="ignore"):
        shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
        result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return result


def ranks_of(scores: Array, truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many classes stand above the true one in `scores` [N, classes]; all of them where a score is no number.

    A class stands above another if its score is larger, or equal with a smaller number.
    """
    own = np.take_along_axis(scores, truth[:, None], 1)
    earlier = np.arange(scores.shape[1])[None, :] < truth[:, None]
    ranks = ((scores > own) | ((scores == own) & earlier)).sum(1)
    return np.where(np.isnan(scores).any(1), max(scores.shape[1], 5), ranks).astype(np.int64)


def top_k_accuracy(scores: Array, truth: NDArray[np.int64], k: int) -> float:
    """How often the true class is among the first `k` of `scores` [N, classes], 0 to 1."""
    return float((ranks_of(scores, truth) < k).mean())


def best_classes(scores: Array, count: int) -> NDArray[np.int64]:
    """The `count` first classes of `scores` [..., classes], best first; of equal ones the smaller number."""
    return np.argsort(-scores, axis=-1, kind="stable")[..., :count].astype(np.int64)


def largest_error(expected: Array, actual: Array) -> float:
    """The largest absolute difference; infinite where a value is finite in one of the two only."""
    error = absolute_error(expected, actual)
    largest = float(error.max()) if error.size else 0.0
    return largest if math.isfinite(largest) else math.inf


def absolute_error(expected: Array, actual: Array) -> NDArray[np.float64]:
    """The absolute differences in float64; 0 where both are the same infinity, or both no number."""
    a, b = expected.astype(np.float64), actual.astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore", over="ignore"):
        error: NDArray[np.float64] = np.where(same, 0.0, np.abs(a - b))
    return error


def nan_throughout(values: Array) -> bool:
    """Whether no element is a number; False for none at all."""
    return bool(values.size) and bool(np.isnan(values).all())


def peak_of(values: Array) -> float:
    """The largest absolute finite value, in float64; 0 for none."""
    magnitudes = np.abs(values[np.isfinite(values)].astype(np.float64))
    return float(magnitudes.max()) if magnitudes.size else 0.0


def psnr_db(expected: Array, actual: Array, *, least_peak: float = 0.0) -> float:
    """Peak signal-to-noise ratio: 20 log10(peak / root mean square error), the peak being that of `expected`.

    Args:
        expected: What is right.
        actual: What is measured against it, of the same shape.
        least_peak: What the peak is taken to be at least, where an answer without a signal must be finite.

    Returns:
        In dB; infinite where both are equal, minus infinity for noise without a signal or without bound.
    """
    error = absolute_error(expected, actual)
    if not error.any():
        return math.inf
    if not np.isfinite(error).all():
        return -math.inf
    peak, noise = max(peak_of(expected), least_peak), float(np.sqrt(np.mean(error**2)))
    if noise == 0:  # squares that underflow
        return math.inf
    return 20 * math.log10(peak / noise) if peak > 0 else -math.inf


def relative_error(expected: Array, actual: Array, *, least_peak: float = 0.0) -> float:
    """The largest absolute difference over the peak of `expected`; infinite for a difference from nothing.

    `least_peak` is what the peak is taken to be at least, where a difference from nothing must be finite.
    """
    largest, peak = largest_error(expected, actual), max(peak_of(expected), least_peak)
    if largest == 0:
        return 0.0
    return largest / peak if peak > 0 else math.inf
