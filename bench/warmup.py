"""Unmeasured predictions until a model is steady, by a rule rather than a count.

The rule: predictions run in blocks of five; a model is steady once three blocks in a row were not faster than the
fastest block before them by more than 2%, and at least the asked number of predictions is done. It looks for the end of
getting faster (caches filling, clocks rising, code being compiled), so that a machine whose times go up and down does
not keep it from ending. After ten seconds it ends all the same, and says that it was not steady.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

BLOCK = 5
BLOCKS_WITHOUT_GAIN = 3
GAIN = 0.02
LONGEST_S = 10.0


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """How it went."""

    predictions: int
    steady: bool


def warm_up(
    predict: Callable[[], object],
    least: int,
    *,
    longest_s: float = LONGEST_S,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> WarmUp:
    """Calls `predict` at least `least` times, until steady or for `longest_s` seconds; `clock` counts nanoseconds."""
    begin = clock()
    count, without_gain, fastest = 0, 0, float("inf")
    while True:
        times = []
        for _ in range(BLOCK):
            before = clock()
            predict()
            times.append(clock() - before)
            count += 1
            if clock() - begin >= longest_s * 1e9 and count >= least:
                return WarmUp(predictions=count, steady=False)
        block = statistics.median(times)
        without_gain = 0 if block < fastest * (1 - GAIN) else without_gain + 1
        fastest = min(fastest, block)
        if without_gain >= BLOCKS_WITHOUT_GAIN and count >= least:
            return WarmUp(predictions=count, steady=True)
