"""The peer: the greedy walk of Apple's coreai-opt, on the same table.

As its guide describes it (https://apple.github.io/coreai-optimization/utils/mixed_precision.html): all pairs of a layer
and an option, the least loss first; each is applied in turn, in place of what the layer had; the walk ends as soon as
the whole is small enough.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Sizes = Sequence[NDArray[np.int64]]
Losses = Sequence[NDArray[np.float64]]


def greedy(sizes: Sizes, losses: Losses, budget: int, start: Sequence[int]) -> tuple[int, ...] | None:
    """The option of each layer where the walk ends; None: it came to its end without being small enough.

    Args:
        sizes: Bytes by layer and option.
        losses: Like them.
        budget: So many bytes may the layers take together.
        start: What each layer has before: it is not compressed.
    """
    pairs = [(float(loss), layer, option) for layer, row in enumerate(losses) for option, loss in enumerate(row)]
    pairs = [pair for pair in pairs if pair[2] != start[pair[1]]]
    picks = list(start)
    total = sum(int(row[pick]) for row, pick in zip(sizes, picks, strict=True))
    for _, layer, option in sorted(pairs):
        if total <= budget:
            break
        total += int(sizes[layer][option] - sizes[layer][picks[layer]])
        picks[layer] = option
    return tuple(picks) if total <= budget else None
