"""Maximum, average and L2 pooling in one to three dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from tinyml.errors import PackageError

from .registry import op
from .samples import by_image
from .windows import are_equal, larger, pad_spatial, quotient_up, smaller, spatial_padding

_MAX: dict[int, Callable[..., Tensor]] = {3: torch.max_pool1d, 4: torch.max_pool2d, 5: torch.max_pool3d}
_MEAN: dict[int, Callable[..., Tensor]] = {3: torch.avg_pool1d, 4: functional.avg_pool2d, 5: functional.avg_pool3d}


@op("max_pool", exact=True, samples=by_image)
def max_pool(
    x: Tensor,
    kernel_sizes: tuple[int, ...],
    pad_type: str,
    strides: tuple[int, ...] | None = None,
    pad: tuple[int, ...] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest value in each window; padding counts as -infinity."""
    strides = strides or (1,) * len(kernel_sizes)
    before, after, beyond = _placement(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    if _native(before, after, beyond, kernel_sizes):
        return _MAX[x.dim()](x, kernel_sizes, strides, before)
    x = pad_spatial(x, before, [a + b for a, b in zip(after, beyond, strict=True)], float("-inf"))
    return _MAX[x.dim()](x, kernel_sizes, strides)


@op("avg_pool", fresh=True, samples=by_image)
def avg_pool(
    x: Tensor,
    kernel_sizes: tuple[int, ...],
    pad_type: str,
    strides: tuple[int, ...] | None = None,
    pad: tuple[int, ...] | None = None,
    exclude_padding_from_average: bool = False,
    ceil_mode: bool = False,
) -> Tensor:
    """The mean of each window; padding counts as zeros, or not at all.

    What `ceil_mode` lets a window reach beyond the padding never counts.
    """
    strides = strides or (1,) * len(kernel_sizes)
    before, after, beyond = _placement(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    if _native(before, after, beyond, kernel_sizes) and _fits_unpadded(x, before, kernel_sizes):
        return _MEAN[x.dim()](x, kernel_sizes, strides, before, count_include_pad=not exclude_padding_from_average)
    mean = _MEAN[x.dim()]
    counted = x.new_ones((1, 1, *x.shape[2:]))
    counted = pad_spatial(counted, before, after, 0.0 if exclude_padding_from_average else 1.0)
    share = mean(pad_spatial(counted, [0] * len(before), beyond), kernel_sizes, strides)
    total = mean(pad_spatial(x, before, [a + b for a, b in zip(after, beyond, strict=True)]), kernel_sizes, strides)
    # A window without a single counted element has a total of 0 too; any divisor keeps it.
    return total / torch.where(share > 0, share, torch.ones_like(share))


@op("l2_pool", samples=by_image)
def l2_pool(
    x: Tensor,
    kernel_sizes: tuple[int, ...],
    pad_type: str,
    strides: tuple[int, ...] | None = None,
    pad: tuple[int, ...] | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The root of the sum of squares of each window; padding counts as zeros."""
    strides = strides or (1,) * len(kernel_sizes)
    before, after, beyond = _placement(x, kernel_sizes, strides, pad_type, pad, ceil_mode)
    x = pad_spatial(x, before, [a + b for a, b in zip(after, beyond, strict=True)])
    return torch.sqrt(_MEAN[x.dim()](x * x, kernel_sizes, strides) * math.prod(kernel_sizes))


def _native(before: list[int], after: list[int], beyond: list[int], kernel_sizes: tuple[int, ...]) -> bool:
    """Whether torch's pools take this padding: symmetric, at most half a window."""
    return (
        are_equal(before, after)
        and are_equal(beyond, [0] * len(beyond))
        and all(2 * b <= k for b, k in zip(before, kernel_sizes, strict=True))
    )


def _fits_unpadded(x: Tensor, before: list[int], kernel_sizes: tuple[int, ...]) -> bool:
    """False where torch's mean in three dimensions may refuse a padded input, as its kernel is larger without it."""
    return (
        x.dim() < 5
        or are_equal(before, [0] * len(before))
        or all(type(size) is int and size >= kernel for size, kernel in zip(x.shape[2:], kernel_sizes, strict=True))
    )


def _placement(
    x: Tensor,
    kernel_sizes: tuple[int, ...],
    strides: tuple[int, ...],
    pad_type: str,
    pad: tuple[int, ...] | None,
    ceil_mode: bool,
) -> tuple[list[int], list[int], list[int]]:
    """The padding before and after, and how far the last window reaches beyond it (in `ceil_mode` alone)."""
    if x.dim() not in _MAX:
        raise PackageError("pool of an input of rank", value=x.dim(), allowed="3, 4, 5")
    sizes = x.shape[2:]
    before, after = spatial_padding(pad_type, pad, sizes, kernel_sizes, strides)
    if not ceil_mode:
        return before, after, [0] * len(before)
    beyond = []
    for size, kernel, stride, b, a in zip(sizes, kernel_sizes, strides, before, after, strict=True):
        windows = quotient_up(size + b + a - kernel, stride) + 1
        if b + a > 0:
            # The last window begins within the input or the padding before it. Torch holds unpadded dimensions to that
            # as well; by the op's page a window may lie wholly outside those.
            windows = smaller(windows, quotient_up(2 * size + b + a, 2 * stride))
        beyond.append(larger(0, (windows - 1) * stride + kernel - (size + b + a)))
    return before, after, beyond
