"""Images of a batch moved in one pass, each in its own way: cropped and mirrored by whole pixels, or turned.

What comes of whole pixels has the images' own values, so it is done to bytes, before they become numbers.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..device import sent


def cropped(images: Tensor, mirrored: Tensor, corner: Tensor, padding: int) -> Tensor:
    """A part of every image as large as itself, out of the image with zeros around it.

    Args:
        images: [B, C, H, W] of any type, on any device; quickest where the channels of a pixel lie together.
        mirrored: Which parts are mirrored, bool [B].
        corner: Left and upper edge of the part in what is padded, int64 [B, 2], from 0 to twice the padding.
        padding: The width of the zeros on each side, in pixels.

    Returns:
        [B, C, H, W] on the images' device, the channels of a pixel lying together.
    """
    pixels = images.permute(0, 2, 3, 1).contiguous()
    if images.device.type == "cpu":
        return _by_rows(pixels, mirrored, corner, padding).permute(0, 3, 1, 2)
    return _by_pixels(pixels, mirrored, corner, padding).permute(0, 3, 1, 2)


def _by_rows(pixels: Tensor, mirrored: Tensor, corner: Tensor, padding: int) -> Tensor:
    """[B, H, W, C] to the same: numpy copies whole rows, where torch on the CPU goes from value to value."""
    values = pixels.numpy()
    count, height, width, channels = values.shape
    padded = np.zeros((count, height + 2 * padding, width + 2 * padding, channels), values.dtype)
    middle = padded[:, padding : padding + height, padding : padding + width]
    middle[:] = values
    which = mirrored.numpy().nonzero()[0]
    # Torch's own flip, which numpy needs thrice the time for.
    middle[which] = torch.from_numpy(values[which]).permute(0, 3, 1, 2).flip(3).permute(0, 2, 3, 1).numpy()
    # A part of what was mirrored with its zeros is the mirrored part from the other side.
    left = torch.where(mirrored, 2 * padding - corner[:, 0], corner[:, 0]).numpy()
    parts = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))  # type: ignore[call-overload]
    rows = parts.transpose(0, 1, 2, 4, 5, 3)  # [B, top, left, H, W, C]
    return torch.from_numpy(rows[np.arange(count), corner[:, 1].numpy(), left])


def _by_pixels(pixels: Tensor, mirrored: Tensor, corner: Tensor, padding: int) -> Tensor:
    """The same as `_by_rows`, in a single gather."""
    count, height, width, _ = pixels.shape
    padded = functional.pad(pixels, (0, 0) + (padding,) * 4)
    columns = torch.arange(width).expand(count, width)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns) + corner[:, :1]
    rows = torch.arange(height).expand(count, height) + corner[:, 1:]
    image = torch.arange(count)[:, None]
    places = (image * padded.shape[1] + rows)[:, :, None] * padded.shape[2] + columns[:, None]
    return padded.flatten(0, 2)[sent(places, pixels.device)]


def affine(images: Tensor, matrix: Tensor, *, mode: str) -> Tensor:
    """Images sampled at an affine map of their places, with zeros outside.

    Args:
        images: float [B, C, H, W].
        matrix: [B, 2, 3] on their device: from (u, v, 1) at a place of the result, u to the right and v downward from
            -1 to 1 between the edges, to the place in the image.
        mode: "bilinear" or "nearest".
    """
    u, v = (
        torch.arange(1 - size, size, 2, device=images.device, dtype=images.dtype) / size
        for size in (images.shape[3], images.shape[2])
    )
    # By sums of a row's and a column's part: torch's `affine_grid` multiplies matrices of three, fifty times as slow.
    across = matrix[:, :, :1, None] * u + matrix[:, :, 2:, None]
    down = matrix[:, :, 1:2] * v
    grid = across + down[:, :, :, None]
    return functional.grid_sample(
        images, grid.permute(0, 2, 3, 1), mode=mode, padding_mode="zeros", align_corners=False
    )
