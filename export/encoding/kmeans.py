"""The centers of values on a line: weighted k-means, the same for the same values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TURNS = 200
_MANY = 1 << 16
"""From so many values on they are first gathered by their float16 bits, of which there are no more than that."""


def centers(values: NDArray[np.float32], count: int, weights: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """`count` values, ascending, that minimize the weighted square distance of `values` to the nearest, locally.

    Lloyd's iteration on the sorted values, from two beginnings (equal shares of the values, equal steps between the
    smallest and the largest), of which the better end is taken. Where there are fewer different values than `count`
    they are all found, and the largest stands for the rest.

    Args:
        values: Of any shape; at least one.
        count: How many centers.
        weights: How much an error of each value counts, not negative; None: all alike.
    """
    points, mass = _gathered(values.reshape(-1), None if weights is None else weights.reshape(-1))
    if len(points) <= count:
        return np.pad(points, (0, count - len(points)), mode="edge").astype(np.float32)
    if not mass.any():
        mass = np.ones_like(mass)
    total, first = np.append(0.0, np.cumsum(mass)), np.append(0.0, np.cumsum(mass * points))
    shares = np.interp((np.arange(count) + 0.5) / count * total[-1], total[1:], points)
    steps = points[0] + (points[-1] - points[0]) * (np.arange(count) + 0.5) / count
    ends = [_settled(points, total, first, start) for start in (shares, steps)]
    # The square of a value less twice its product with its center, plus the center's square: the first is common.
    costs = [_cost(points, total, first, end) for end in ends]
    return ends[int(np.argmin(costs))].astype(np.float32)


def _gathered(
    values: NDArray[np.float32], weights: NDArray[np.float32] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The different values, ascending, and the weight of each."""
    if len(values) >= _MANY and np.array_equal(values, (half := values.astype(np.float16))):
        bits = half.view(np.uint16)
        mass = np.bincount(bits, weights, minlength=1 << 16).astype(np.float64)
        there = np.flatnonzero(np.bincount(bits, minlength=1 << 16))
        points = there.astype(np.uint16).view(np.float16).astype(np.float64)
        order = np.argsort(points, kind="stable")
        return points[order], mass[there][order]
    points, places = np.unique(values.astype(np.float64), return_inverse=True)
    return points, np.bincount(places.reshape(-1), weights, minlength=len(points)).astype(np.float64)


def _settled(
    points: NDArray[np.float64], total: NDArray[np.float64], first: NDArray[np.float64], found: NDArray[np.float64]
) -> NDArray[np.float64]:
    edges: NDArray[np.int64] | None = None
    for _ in range(_TURNS):
        between = np.concatenate([[0], np.searchsorted(points, (found[1:] + found[:-1]) / 2), [len(points)]])
        if edges is not None and np.array_equal(between, edges):
            break
        edges = between
        mass, moment = np.diff(total[edges]), np.diff(first[edges])
        # A center without a value stays where it is.
        found = np.sort(np.where(mass > 0, moment / np.where(mass > 0, mass, 1), found))
    return found


def _cost(
    points: NDArray[np.float64], total: NDArray[np.float64], first: NDArray[np.float64], found: NDArray[np.float64]
) -> float:
    edges = np.concatenate([[0], np.searchsorted(points, (found[1:] + found[:-1]) / 2), [len(points)]])
    return float((np.diff(total[edges]) * found**2 - 2 * np.diff(first[edges]) * found).sum())
