"""Resizing on a regular grid, which is separable: one matrix-free interpolation for each axis.

A sampling mode says where, along an axis of n elements, the i-th of m samples lies (both n and m from 1):

    STRICT_ALIGN_CORNERS    i (n - 1) / (m - 1); 0 if m is 1
    ALIGN_CORNERS           the same; (n - 1) / 2 if m is 1
    DEFAULT                 i n / m
    OFFSET_CORNERS          (i + 1/2) max(1, n - 1) / m
    UNALIGN_CORNERS         (i + 1/2) n / m - 1/2

and always between 0 and n - 1. Source: the `resize_bilinear` page of the MIL op reference.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import torch
from torch import Tensor

from tinyml.errors import PackageError

from ..program.limits import check_size
from .registry import op
from .samples import Arguments, Axis, MixedSamplesError, by_image

SAMPLING_MODES = ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "OFFSET_CORNERS", "UNALIGN_CORNERS")


def sample_places(count: int, size: int, mode: str, device: torch.device) -> Tensor:
    """float64 [count]: where the samples of an axis of `size` elements lie, in elements, for a sampling mode."""
    step = torch.arange(count, dtype=torch.float64, device=device)
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        if count == 1:
            return step + ((size - 1) / 2 if mode == "ALIGN_CORNERS" else 0.0)
        places = step * (size - 1) / (count - 1)
    elif mode == "DEFAULT":
        places = step * size / count
    elif mode == "OFFSET_CORNERS":
        places = (step + 0.5) * max(1, size - 1) / count
    elif mode == "UNALIGN_CORNERS":
        places = (step + 0.5) * size / count - 0.5
    else:
        raise PackageError("unknown sampling mode", value=mode, allowed=", ".join(SAMPLING_MODES))
    return places.clamp(0, size - 1)


def _linear_along(x: Tensor, axis: int, count: int, mode: str) -> Tensor:
    size = x.shape[axis]
    if _same(size, count) and mode != "OFFSET_CORNERS":
        return x
    places = sample_places(count, size, mode, x.device)
    below = places.floor()
    weight = (places - below).to(x.dtype).reshape([-1] + [1] * (x.dim() - 1 - axis))
    low = below.to(torch.int64)
    return torch.lerp(x.index_select(axis, low), x.index_select(axis, (low + 1).clamp(max=size - 1)), weight)


def _linear(x: Tensor, sizes: tuple[int, ...], mode: str) -> Tensor:
    """Linear interpolation of the last `len(sizes)` axes to `sizes`."""
    check_size("resize", (*x.shape[: x.dim() - len(sizes)], *sizes))
    if mode in ("UNALIGN_CORNERS", "STRICT_ALIGN_CORNERS") and len(sizes) == 2 and x.dim() >= 3:
        image = x if x.dim() == 4 else x.reshape((1, -1, *x.shape[-2:]))
        aligned = mode == "STRICT_ALIGN_CORNERS"
        resized = torch.nn.functional.interpolate(image, size=sizes, mode="bilinear", align_corners=aligned)
        return resized.reshape((*x.shape[:-2], *sizes))
    for number, count in enumerate(sizes):
        x = _linear_along(x, x.dim() - len(sizes) + number, count, mode)
    return x


def _nearest(x: Tensor, sizes: tuple[int, ...], *, half_pixels: bool) -> Tensor:
    """Nearest neighbors of the last `len(sizes)` axes: element i n // m, or (2 i + 1) n // (2 m) with half pixels."""
    check_size("resize", (*x.shape[: x.dim() - len(sizes)], *sizes))
    image = x.dim() == 4 and len(sizes) == 2
    known = all(type(size) is int for size in (*x.shape, *sizes))
    if image and known and all(_torch_agrees(n, m, half_pixels) for n, m in zip(x.shape[2:], sizes, strict=True)):
        mode = "nearest-exact" if half_pixels else "nearest"
        return torch.nn.functional.interpolate(x, size=sizes, mode=mode)
    for number, count in enumerate(sizes):
        axis = x.dim() - len(sizes) + number
        size = x.shape[axis]
        if _same(size, count):
            continue
        step = torch.arange(count, device=x.device)
        places = (2 * step + 1) * size // (2 * count) if half_pixels else step * size // count
        x = x.index_select(axis, places)
    return x


@cache
def _torch_agrees(size: int, count: int, half_pixels: bool) -> bool:
    """Whether torch, whose places are float32, finds the same neighbors; its kernel is several times faster."""
    step = np.arange(count)
    own = (2 * step + 1) * size // (2 * count) if half_pixels else step * size // count
    place = (step + (0.5 if half_pixels else 0)).astype(np.float32) * (np.float32(size) / np.float32(count))
    return bool((np.minimum(np.floor(place), size - 1) == own).all())


def _same(size: int, count: int) -> bool:
    """Whether both are the same known number; to compare symbols of a trace would fix them."""
    return type(size) is int and type(count) is int and size == count


def _scaled(size: int, scale: float) -> int:
    # The declared size is computed in float32, where 0.7 * 10 is 7.
    if type(size) is int:
        return int(np.floor(np.float32(scale) * np.float32(size)))
    top, bottom = _fraction(scale)
    return size * top // bottom


MAX_TRACED_SIZE = 2**15
"""A fraction stands for a scale in a trace where it gives the same sizes up to this one."""


@cache
def _fraction(scale: float) -> tuple[int, int]:
    """The simplest fraction by which sizes scale as they do by the float32 `scale`; raises PackageError for none."""
    fraction = Fraction(float(np.float32(scale))).limit_denominator(4096)
    sizes = np.arange(1, MAX_TRACED_SIZE + 1)
    declared = np.floor(np.float32(scale) * sizes.astype(np.float32)).astype(np.int64)
    if not (declared == sizes * fraction.numerator // fraction.denominator).all():
        raise PackageError("no fraction scales open sizes as this factor does", value=scale, hint="fix the size")
    return fraction.numerator, fraction.denominator


@op("upsample_nearest_neighbor", exact=True, samples=by_image)
def upsample_nearest_neighbor(x: Tensor, scale_factor_height: float = 1.0, scale_factor_width: float = 1.0) -> Tensor:
    """The last two axes to floor(size * factor), by the nearest element towards the origin (as in torch)."""
    sizes = (_scaled(x.shape[-2], scale_factor_height), _scaled(x.shape[-1], scale_factor_width))
    return _nearest(x, sizes, half_pixels=False)


@op("resize_nearest_neighbor", exact=True, samples=by_image)
def resize_nearest_neighbor(x: Tensor, target_size_height: int, target_size_width: int) -> Tensor:
    """The last two axes to the target size, by the element nearest to a pixel's center (TF's half_pixel_centers)."""
    return _nearest(x, (target_size_height, target_size_width), half_pixels=True)


@op("upsample_bilinear", samples=by_image)
def upsample_bilinear(
    x: Tensor, scale_factor_height: float = 1.0, scale_factor_width: float = 1.0, align_corners: bool = True
) -> Tensor:
    """The last two axes to floor(size * factor); the factor in effect is the one of the sizes."""
    sizes = (_scaled(x.shape[-2], scale_factor_height), _scaled(x.shape[-1], scale_factor_width))
    return _linear(x, sizes, "STRICT_ALIGN_CORNERS" if align_corners else "UNALIGN_CORNERS")


@op("upsample_bilinear", since="iOS16", samples=by_image)
def upsample_bilinear_with_centers(
    x: Tensor,
    scale_factor_height: float = 1.0,
    scale_factor_width: float = 1.0,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
) -> Tensor:
    """As before; without aligned corners, `half_pixel_centers` (by default) samples at the centers of pixels."""
    if align_corners and half_pixel_centers:
        raise PackageError("upsample_bilinear: align_corners and half_pixel_centers exclude each other")
    sizes = (_scaled(x.shape[-2], scale_factor_height), _scaled(x.shape[-1], scale_factor_width))
    if align_corners:
        return _linear(x, sizes, "STRICT_ALIGN_CORNERS")
    return _linear(x, sizes, "DEFAULT" if half_pixel_centers is False else "UNALIGN_CORNERS")


@op("resize_bilinear", samples=by_image)
def resize_bilinear(
    x: Tensor, target_size_height: int = 1, target_size_width: int = 1, sampling_mode: str = "DEFAULT"
) -> Tensor:
    """The last two axes to the target size, sampled by `sampling_mode`."""
    return _linear(x, (target_size_height, target_size_width), sampling_mode)


def _resize_samples(given: Arguments) -> tuple[Axis, ...]:
    if given.constants["resized_dims"] >= len(given.shape("x")):
        raise MixedSamplesError
    return by_image(given)


@op("resize", since="iOS17", samples=_resize_samples)
def resize(
    x: Tensor,
    shape: tuple[int, ...],
    resized_dims: int,
    interpolation_mode: str = "LINEAR",
    sampling_mode: str = "DEFAULT",
) -> Tensor:
    """The last `resized_dims` axes to the last entries of `shape`, where 0 keeps a size.

    The nearest neighbor is that of the sample's place, the upper one of two; in the DEFAULT mode it is that of the
    pixel's center, which is what Core ML returns.
    """
    if resized_dims == 0:
        return x
    wanted = zip(shape[-resized_dims:], x.shape[-resized_dims:], strict=True)
    sizes = tuple(target if target != 0 else size for target, size in wanted)
    if interpolation_mode == "LINEAR":
        if x.is_floating_point():
            return _linear(x, sizes, sampling_mode)
        return _linear(x.to(torch.float32), sizes, sampling_mode).to(x.dtype)
    if interpolation_mode != "NEAREST_NEIGHBOR":
        raise PackageError(
            "resize: unknown interpolation", value=interpolation_mode, allowed="LINEAR, NEAREST_NEIGHBOR"
        )
    if sampling_mode in ("DEFAULT", "UNALIGN_CORNERS"):
        return _nearest(x, sizes, half_pixels=True)
    for number, count in enumerate(sizes):
        axis = x.dim() - len(sizes) + number
        places = sample_places(count, x.shape[axis], sampling_mode, x.device)
        x = x.index_select(axis, (places + 0.5).floor().to(torch.int64))
    return x


@op("crop", exact=True, samples=by_image)
def crop(x: Tensor, crop_height: tuple[int, ...], crop_width: tuple[int, ...]) -> Tensor:
    """Cuts (top, bottom) rows and (left, right) columns off the last two axes."""
    (top, bottom), (left, right) = crop_height, crop_width
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]
