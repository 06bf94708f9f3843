"""Where a series of runs changed its level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml.confidence import CONFIDENCE

from .estimates import welch_ratio

RUNS_A_SIDE = 3
"""Fewer runs on a side of a change tell it from no accident."""
LEAST_CHANGE = 0.05
"""A smaller one is within what repeated runs differ by (MLPerf Mobile's rule)."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A lasting change of level."""

    at: int
    """The first of the values on the new level."""
    ratio: float
    """The new level over the old."""
    p: float
    """How often chance alone would show as much at this place."""


def change_points(values: Sequence[float], alpha: float = 1 - CONFIDENCE) -> list[Change]:
    """The changes of level in `values`, one positive figure a run, oldest first.

    Binary segmentation: the split whose sides differ most surely (Welch's test on logarithms, corrected by the number
    of splits that the whole series has) is a change if its p is small enough and its ratio beyond 5%; both sides are
    then searched again. In the end each change must hold between its own neighbors, for a first split that lies beside
    a later, truer one was only its shadow. Fewer than six runs show none.
    """
    alpha /= max(1, len(values) - 2 * RUNS_A_SIDE + 1)
    places = sorted(_places(values, 0, alpha))
    while True:
        changes = [
            _change(values[begin:end], at - begin, begin)
            for begin, at, end in zip([0, *places], places, [*places[1:], len(values)], strict=False)
        ]
        doubtful = [change for change in changes if not _holds(change, alpha)]
        if not doubtful:
            return changes
        places.remove(max(doubtful, key=lambda change: change.p).at)


def _places(values: Sequence[float], offset: int, alpha: float) -> list[int]:
    splits = range(RUNS_A_SIDE, len(values) - RUNS_A_SIDE + 1)
    if not splits:
        return []
    best = min((_change(values, at, offset) for at in splits), key=lambda change: change.p)
    if not _holds(best, alpha):
        return []
    at = best.at - offset
    return [best.at, *_places(values[:at], offset, alpha), *_places(values[at:], best.at, alpha)]


def _change(values: Sequence[float], at: int, offset: int) -> Change:
    ratio = welch_ratio(values[:at], values[at:])
    return Change(at=offset + at, ratio=ratio.value, p=ratio.p)


def _holds(change: Change, alpha: float) -> bool:
    return change.p < alpha and max(change.ratio, 1 / change.ratio) > 1 + LEAST_CHANGE
