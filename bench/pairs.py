"""Rounds of two sides that were measured in turn, found by the moments at which they began."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tinyml.schema import BenchResult

from .measures import Measure

LEAST_PAIRS = 3
"""With fewer, the spread between pairs says next to nothing."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The figures of neighbors, one of either side each."""

    a: tuple[float, ...]
    b: tuple[float, ...]
    of: Literal["rounds", "runs"]


@dataclass(frozen=True, kw_only=True)
class _Stay:
    """A round or a run of a side."""

    began_ns: int
    ended_ns: int
    second: bool
    """Whether it is of the second side."""
    value: float


def pairs_of(measure: Measure, a: Sequence[BenchResult], b: Sequence[BenchResult]) -> Pairs | None:
    """Neighboring rounds where those of both sides came in turn, or neighboring runs where whole runs did.

    In turn means: in the order of time, the first two are of different sides, so are the next two and so on (a last one
    may be left over). None where they did not, or a round does not tell when it began or has no figure of its own.
    """
    rounds, runs = [], []
    for second, results in ((False, a), (True, b)):
        for result in results:
            values = measure.rounds(result)
            stays = [
                _Stay(began_ns=one.began_ns, ended_ns=one.began_ns + one.elapsed_ns, second=second, value=value)
                for one, value in zip(result.rounds, values, strict=False)
                if one.began_ns is not None
            ]
            if not stays or not len(stays) == len(result.rounds) == len(values):
                return None
            rounds += stays
            runs.append(
                _Stay(
                    began_ns=min(stay.began_ns for stay in stays),
                    ended_ns=max(stay.ended_ns for stay in stays),
                    second=second,
                    value=statistics.geometric_mean(values) if min(values) > 0 else 0.0,
                )
            )
    if neighbors := _in_turn(rounds):
        return Pairs(a=neighbors[0], b=neighbors[1], of="rounds")
    apart = sorted(runs, key=lambda run: run.began_ns)
    overlap = any(one.ended_ns > following.began_ns for one, following in itertools.pairwise(apart))
    if not overlap and (neighbors := _in_turn(runs)):
        return Pairs(a=neighbors[0], b=neighbors[1], of="runs")
    return None


def _in_turn(stays: Sequence[_Stay]) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    ordered = sorted(stays, key=lambda stay: (stay.began_ns, stay.second))
    pairs = [sorted(pair, key=lambda stay: stay.second) for pair in zip(ordered[::2], ordered[1::2], strict=False)]
    if len(pairs) < LEAST_PAIRS or any(first.second == second.second for first, second in pairs):
        return None
    return tuple(first.value for first, _ in pairs), tuple(second.value for _, second in pairs)
