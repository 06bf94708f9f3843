"""Blocks of pixels moved between axes: depth, batch and space."""

from __future__ import annotations

import torch
from torch import Tensor

from .registry import op
from .samples import by_image


@op("depth_to_space", exact=True, samples=by_image)
def depth_to_space(x: Tensor, block_size: int) -> Tensor:
    """[n, C, H, W] -> [n, C / b², H b, W b]; the place in a block is the outer part of the channel (DCR, as in TF)."""
    batch, channels, height, width = x.shape
    blocks = x.reshape(batch, block_size, block_size, channels // block_size**2, height, width)
    return blocks.permute(0, 3, 4, 1, 5, 2).reshape(batch, -1, height * block_size, width * block_size)


@op("space_to_depth", exact=True, samples=by_image)
def space_to_depth(x: Tensor, block_size: int) -> Tensor:
    """[n, C, H, W] -> [n, C b², H / b, W / b], the inverse of depth_to_space."""
    batch, channels, height, width = x.shape
    rows, columns = height // block_size, width // block_size
    blocks = x.reshape(batch, channels, rows, block_size, columns, block_size)
    return blocks.permute(0, 3, 5, 1, 2, 4).reshape(batch, -1, rows, columns)


@op("pixel_shuffle", exact=True, samples=by_image)
def pixel_shuffle(x: Tensor, upscale_factor: int) -> Tensor:
    """[n, C f², H, W] -> [n, C, H f, W f]; the place in a block is the inner part of the channel (CRD, as in torch)."""
    return torch.nn.functional.pixel_shuffle(x, upscale_factor)


@op("pixel_unshuffle", since="iOS16", exact=True, samples=by_image)
def pixel_unshuffle(x: Tensor, downscale_factor: int) -> Tensor:
    """[n, C, H, W] -> [n, C f², H / f, W / f], the inverse of pixel_shuffle."""
    return torch.nn.functional.pixel_unshuffle(x, downscale_factor)


@op("space_to_batch", exact=True)
def space_to_batch(x: Tensor, block_shape: tuple[int, ...], paddings: tuple[int, ...]) -> Tensor:
    """[n, C, H, W] -> [n bh bw, C, (H + pads) / bh, (W + pads) / bw]; the place in a block is the batch's outer part.

    `paddings` is the matrix [[top, bottom], [left, right]] of zeros to add first, row by row.
    """
    top, bottom, left, right = paddings
    x = torch.nn.functional.pad(x, (left, right, top, bottom))
    batch, channels, height, width = x.shape
    block_height, block_width = block_shape
    rows, columns = height // block_height, width // block_width
    blocks = x.reshape(batch, channels, rows, block_height, columns, block_width)
    return blocks.permute(3, 5, 0, 1, 2, 4).reshape(-1, channels, rows, columns)


@op("batch_to_space", exact=True)
def batch_to_space(x: Tensor, block_shape: tuple[int, ...], crops: tuple[int, ...]) -> Tensor:
    """The inverse of space_to_batch; `crops` is the matrix [[top, bottom], [left, right]] to cut off afterwards."""
    top, bottom, left, right = crops
    batch, channels, rows, columns = x.shape
    block_height, block_width = block_shape
    height, width = rows * block_height, columns * block_width
    blocks = x.reshape(block_height, block_width, batch // (block_height * block_width), channels, rows, columns)
    image = blocks.permute(2, 3, 4, 0, 5, 1).reshape(-1, channels, height, width)
    return image[:, :, top : height - bottom, left : width - right]
