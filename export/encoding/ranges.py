"""The range of a tensor that is stored in 8 bits, from what calibration images show of it."""

from __future__ import annotations

import torch
from torch import Tensor

_SAMPLED = 256
"""So many values are kept of each image."""
_SHARES = tuple(0.85**step for step in range(18))
"""Of the whole range: those that are tried."""


class SeenRange:
    """What was seen of a tensor."""

    def __init__(self) -> None:
        self.low, self.high = torch.inf, -torch.inf
        self._samples: list[Tensor] = []

    def see(self, value: Tensor) -> None:
        """Takes its values [images, ...] for more images; a single number is one image's."""
        self.low, self.high = min(self.low, float(value.min())), max(self.high, float(value.max()))
        rows = value.detach().float().reshape(len(value) if value.dim() else 1, -1)
        step = max(1, rows.shape[1] // _SAMPLED) | 1  # odd: an even one would see the same columns of each row
        self._samples += rows[:, ::step].clone()

    def within(self, percentile: float, *, symmetric: bool) -> tuple[float, float]:
        """The lowest and the highest value to store, 0 between them.

        Args:
            percentile: Of the absolute values, that the range reaches to; 100: as far as makes the errors of what is
                rounded and of what is cut off least together, in squares, by their share of each image's own. One image
                with values ten times as large as all others' would make steps ten times as long for every image.
            symmetric: Whether it reaches as far below 0 as above.
        """
        values = torch.cat(self._samples)
        if percentile < 100:
            return self._cut(float(torch.quantile(values.abs(), percentile / 100)))
        sizes = [row.square().mean().clamp(min=1e-30).sqrt().expand(len(row)) for row in self._samples]
        most, weights = max(abs(self.low), abs(self.high)), torch.cat(sizes).reciprocal()
        ranges = [self._cut(share * most) for share in _SHARES]
        return min(ranges, key=lambda each: _error(values, weights, *each, symmetric=symmetric))

    def _cut(self, most: float) -> tuple[float, float]:
        return min(max(self.low, -most), 0.0), max(min(self.high, most), 0.0)


def _error(values: Tensor, weights: Tensor, low: float, high: float, *, symmetric: bool) -> float:
    if symmetric:
        high = max(-low, high)
        low = -high
    step = (high - low) / (254 if symmetric else 255)
    if not step:
        return 0.0
    stored = (values.clamp(low, high) / step).round_() * step
    return float((values - stored).mul_(weights).square_().sum())
