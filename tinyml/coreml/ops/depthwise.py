"""Depthwise convolutions without oneDNN, as on a Mac: one multiplication of the whole map for each place of the kernel.

torch's own kernel computes channel by channel there, and spends most of its time between them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .faster import Faster, Kernel
from .kernels import Activation, Prepared

AT_ONCE = 1 << 17
"""So many output values at a time, which stay in the processor's cache while the kernel passes over them."""


def convolution(
    weight: Tensor, bias: Tensor | None, padding: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Prepared:
    """A convolution of each channel with a kernel of its own, weight [C, 1, H, W]; by an activation to follow it."""
    plain = weight.detach()
    added = None if bias is None else bias.detach().reshape(-1, 1, 1)
    shape = list(weight.shape)

    def followed_by(activation: Activation) -> Kernel:
        def finished(found: Tensor) -> Tensor:
            return activation(found if added is None else found.add_(added))

        def simple(weight: Tensor) -> Kernel:
            return lambda x: finished(torch.conv2d(x, weight, None, strides, padding, dilations, shape[0]))

        def shifted(weight: Tensor) -> Kernel:
            return lambda x: finished(_shifted(x, weight, padding, strides, dilations))

        def check(x: Tensor) -> None:
            if x.dim() != 4 or x.shape[1] != shape[0]:
                raise ValueError(f"an input of shape {list(x.shape)} for weights of shape {shape}")

        geometry = ("depthwise", *shape, *padding, *strides, *dilations, activation.name, activation.algorithm)
        return Faster(
            plain, geometry=geometry, check=check, simple=simple, order=lambda weight, _: weight, prepared=shifted
        )

    return followed_by


def _shifted(
    x: Tensor, weight: Tensor, padding: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Tensor:
    """[N, C, H', W']: for each place of the kernel the map, shifted, times what the channels have there."""
    (top, left), (high, wide) = padding, weight.shape[2:]
    x = torch.nn.functional.pad(x, (left, left, top, top))
    height, width = (
        (size - (extent - 1) * dilation - 1) // stride + 1
        for size, extent, dilation, stride in zip(x.shape[2:], (high, wide), dilations, strides, strict=True)
    )
    found = x.new_empty(*x.shape[:2], height, width)
    images = max(1, AT_ONCE // max(1, found[:1].numel()))
    for begin in range(0, len(x), images):
        part, sums = x[begin : begin + images], found[begin : begin + images]
        for row in range(high):
            for column in range(wide):
                down, right = row * dilations[0], column * dilations[1]
                seen = part[
                    :,
                    :,
                    down : down + strides[0] * (height - 1) + 1 : strides[0],
                    right : right + strides[1] * (width - 1) + 1 : strides[1],
                ]
                share = weight[:, 0, row, column].reshape(-1, 1, 1)
                if row == column == 0:
                    torch.mul(seen, share, out=sums)
                else:
                    sums.addcmul_(seen, share)
    return found
