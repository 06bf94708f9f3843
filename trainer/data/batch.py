"""One batch of a training."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Images and what is to be learned of them, on the device.

    `images`: float32 [B, 3, H, W], normalized. `targets`: int64 [B], or where images are mixed float32 [B, classes],
    whose rows sum to 1. `taught`: what a teacher answered to them, logits float32 [B, classes], where that is stored.
    """

    images: Tensor
    targets: Tensor
    taught: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def part_of(self, rank: int, size: int) -> Batch:
        """What one of `size` processes computes of it."""
        if size == 1:
            return self
        count = len(self) // size
        at = slice(rank * count, (rank + 1) * count)
        return Batch(self.images[at], self.targets[at], None if self.taught is None else self.taught[at])

    def parts(self, count: int) -> list[Batch]:
        """The batch in at most `count` parts, one after the other."""
        count = min(count, len(self))
        taught = [None] * count if self.taught is None else self.taught.chunk(count)
        return [Batch(*part) for part in zip(self.images.chunk(count), self.targets.chunk(count), taught, strict=False)]
