"""Random boxes in the images of a batch, for what is erased, cut out or taken from another image."""

from __future__ import annotations

import torch
from torch import Tensor

from ..device import sent


def boxes(
    tall: Tensor,
    wide: Tensor,
    height: int,
    width: int,
    generator: torch.Generator,
    device: torch.device | None = None,
) -> Tensor:
    """Masks of one box an image, of the given whole sizes, placed at random inside.

    Args:
        tall: Heights, float [B], from 0 to `height`; a box of none is none.
        wide: Widths, as the heights.
        height: Of the images.
        width: Of the images.
        generator: A CPU generator; it alone decides where.
        device: Of the masks; None: the CPU.

    Returns:
        float32 [B, 1, height, width], 1 in the box and 0 outside: multiplying by it goes faster than choosing.
    """
    rows, columns = _side(tall, height, generator), _side(wide, width, generator)
    if device is not None:
        rows, columns = sent(rows, device), sent(columns, device)
    return (rows[:, :, None] * columns[:, None, :])[:, None]


def _side(extent: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Float [B, size]: 1 in a stretch of each length, at random; the end of the image is as likely as any place."""
    begin = (torch.rand(len(extent), generator=generator) * (size - extent + 1)).floor()[:, None]
    place = torch.arange(size)
    return ((place >= begin) & (place < begin + extent[:, None])).float()
