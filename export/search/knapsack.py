"""The best plan for every budget at once: a multiple-choice knapsack, solved layer by layer over its Pareto front.

Where losses of layers add up, the best plan of the first k layers for a size consists of a best plan of the first k - 1
and an option of the next; so it is enough to carry on, for every size, the least loss (Nemhauser and Ullmann,
Management Science 15, 1969). Sizes are exact. A front of more than `MOST` plans is thinned to the best of each of so
many equal ranges of size, which is the only approximation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .greedy import Losses, Sizes

MOST = 8192


@dataclass(frozen=True, kw_only=True)
class Front:
    """The plans that nothing as small loses less than, by size."""

    sizes: NDArray[np.int64]
    """Ascending."""
    losses: NDArray[np.float64]
    """Descending."""
    _choices: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]
    """By layer and place in its front: the option, and the place in the front of the layers before it."""

    @property
    def smallest(self) -> int:
        """Bytes that no plan is below."""
        return int(self.sizes[0])

    def within(self, budget: int) -> tuple[int, ...]:
        """The option of each layer in the best plan of at most `budget` bytes; raises ValueError below `smallest`."""
        place = int(np.searchsorted(self.sizes, budget, side="right")) - 1
        if place < 0:
            raise ValueError(f"no plan has at most {budget} bytes")
        picks = []
        for options, before in reversed(self._choices):
            picks.append(int(options[place]))
            place = int(before[place])
        return tuple(reversed(picks))


def solve(sizes: Sizes, losses: Losses) -> Front:
    """The front of all plans.

    Args:
        sizes: Bytes by layer and option.
        losses: Like them; they add up.
    """
    total, lost = np.zeros(1, np.int64), np.zeros(1)
    choices = []
    for own_sizes, own_losses in zip(sizes, losses, strict=True):
        count = len(own_sizes)
        all_sizes = (total[:, None] + own_sizes).reshape(-1)
        all_losses = (lost[:, None] + own_losses).reshape(-1)
        order = np.lexsort((all_losses, all_sizes))
        least = np.minimum.accumulate(all_losses[order])
        kept = order[np.concatenate([[True], least[1:] < least[:-1]])]
        kept = kept[_thinned(all_sizes[kept])]
        total, lost = all_sizes[kept], all_losses[kept]
        choices.append((kept % count, kept // count))
    return Front(sizes=total, losses=lost, _choices=tuple(choices))


def _thinned(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of ascending sizes whose losses descend: the places of the last in each of `MOST` ranges, and of the first."""
    if len(sizes) <= MOST:
        return np.arange(len(sizes))
    ranges = (sizes - sizes[0]) * MOST // (sizes[-1] - sizes[0] + 1)
    last = np.flatnonzero(np.append(ranges[1:] != ranges[:-1], True))
    return np.union1d([0], last)
