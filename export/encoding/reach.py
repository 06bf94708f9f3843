"""How far rounding may move a weight from its source, so that a proof still tells it from a wrong one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from ..weights import Weight
from .forms import Values
from .rounding import Kinds, Rounded, rounded
from .statistics import Products

FARTHEST = 6.0
"""How many times the error of rounding each value to the nearest a weight may have that makes up for other errors."""
_USED = 0.95
"""So much of that: what is stored is rounded to its type once more."""
_LEFT = 0.6
"""Of what the second try may go: the rounding itself takes the rest."""
_HALVINGS = 6


@dataclass(frozen=True, kw_only=True)
class Reach:
    """A weight's source, and how far from it what is stored may be."""

    source: Values
    distance: float

    def of(self, values: Values) -> float:
        """How much of the distance `values` take; they hold up to 1."""
        return float(np.linalg.norm(values - self.source)) / max(self.distance, 1e-30)

    def shortened(self, stretch: Tensor, values: Values, axis: int) -> Tensor:
        """`stretch`, a factor for each output channel of `values` on `axis`, as far towards 1 as they must stay near.

        It is 1 where they already are as far as they may be.
        """
        shape = [1] * values.ndim
        shape[axis] = -1
        for _ in range(_HALVINGS):
            if self.of(values * stretch.numpy().reshape(shape)) <= 1:
                return stretch
            stretch = 1 + (stretch - 1) / 2
        return stretch.new_ones(stretch.shape)


def rounded_within(
    values: Values, weight: Weight, kinds: Kinds, *, half: bool, hessian: Products
) -> tuple[Rounded, Reach] | None:
    """`values` as `rounded` has them, compensated, and no farther from their source than they may be.

    A layer of many bits behind coarse ones would be moved by many of its own steps to answer to their errors: it then
    makes up for as much of these as it can.
    """
    plain = rounded(values, weight, kinds, half=half)
    if plain is None:
        return None
    reach = Reach(source=values, distance=_USED * FARTHEST * float(np.linalg.norm(plain.values - values)))
    share = 1.0
    for _ in range(2):
        found = _rounded(values, weight, kinds, half=half, hessian=_answering(hessian, share))
        if (far := reach.of(found.values)) <= 1:
            return found, reach
        share *= _LEFT / far
    found = _rounded(values, weight, kinds, half=half, hessian=_answering(hessian, 0.0))
    if reach.of(found.values) > 1:
        found = _rounded(values, weight, kinds, half=half, hessian=_answering(hessian, 0.0), turns=0)
    return found, reach


def _answering(hessian: Products, share: float) -> Products:
    """With so much of what the layers in front have moved."""
    if hessian.drifts is None or share == 1:
        return hessian
    return replace(hessian, drifts=tuple(share * drift for drift in hessian.drifts) if share else None)


def _rounded(values: Values, weight: Weight, kinds: Kinds, *, half: bool, hessian: Products, turns: int = 3) -> Rounded:
    found = rounded(values, weight, kinds, half=half, hessian=hessian, turns=turns)
    assert found is not None  # noqa: S101 (what rounds to the nearest rounds with a matrix)
    return found
