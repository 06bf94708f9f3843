"""Sampling at computed places: resample, affine."""

from __future__ import annotations

import torch
from torch import Tensor

from tinyml.errors import PackageError

from .registry import op


def _taps(image: Tensor, batch: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """[n, C, h, w]: the pixels of images `batch` [n, 1, 1] at integer rows and columns that broadcast to [n, h, w]."""
    rows, columns = row.clamp(0, image.shape[-2] - 1), column.clamp(0, image.shape[-1] - 1)
    return image[batch, :, rows, columns].permute(0, 3, 1, 2)


def bilinear(image: Tensor, batch: Tensor, y: Tensor, x: Tensor, outside: float | None) -> Tensor:
    """Interpolates at float64 places; each pixel beyond the image counts as `outside`, or as the nearest if None."""
    top, left = y.floor(), x.floor()
    down, right = (y - top).to(image.dtype)[:, None], (x - left).to(image.dtype)[:, None]
    row, column = top.to(torch.int64), left.to(torch.int64)

    def pixel(below: int, beside: int) -> Tensor:
        value = _taps(image, batch, row + below, column + beside)
        if outside is None:
            return value
        inside = within(row + below, image.shape[-2]) & within(column + beside, image.shape[-1])
        return torch.where(inside[:, None], value, outside)

    upper = torch.lerp(pixel(0, 0), pixel(0, 1), right)
    lower = torch.lerp(pixel(1, 0), pixel(1, 1), right)
    return torch.lerp(upper, lower, down)


def within(place: Tensor, size: int) -> Tensor:
    """Whether `place` lies on an axis of `size` elements."""
    return (place >= 0) & (place <= size - 1)


def folded(place: Tensor, low: float, high: float) -> Tensor:
    """Reflects `place` at both bounds until it lies between them."""
    span = high - low
    if span == 0:
        return torch.full_like(place, low)
    return span - ((place - low).abs() % (2 * span) - span).abs() + low


@op("resample")
def resample(
    x: Tensor,
    coordinates: Tensor,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
) -> Tensor:
    """[B, C, H, W] sampled at the (x, y) of `coordinates` [B, h, w, 2].

    A normalized range spans the centers of the outer pixels with `align_corners`, their outer edges without. "constant"
    pads pixel by pixel; "reflection" mirrors at the centers of the outer pixels, "symmetric" at their edges. The
    nearest of two equally near pixels is the even one.
    """
    return _resample(x, coordinates, sampling_mode, padding_mode, padding_value, coordinates_mode, align_corners)


def _resample(
    x: Tensor,
    coordinates: Tensor,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
) -> Tensor:
    native = _torch_padding(padding_mode, padding_value, align_corners)
    if native and coordinates_mode == "normalized_minus_one_to_one" and sampling_mode in ("bilinear", "nearest"):
        return torch.nn.functional.grid_sample(
            x, coordinates.to(x.dtype), mode=sampling_mode, padding_mode=native, align_corners=align_corners
        )
    height, width = x.shape[-2:]
    wide = coordinates.to(torch.float64)
    column = _in_pixels(wide[..., 0], width, coordinates_mode, align_corners)
    row = _in_pixels(wide[..., 1], height, coordinates_mode, align_corners)
    if padding_mode == "reflection":
        row, column = folded(row, 0, height - 1), folded(column, 0, width - 1)
    elif padding_mode == "symmetric":
        row, column = folded(row, -0.5, height - 0.5), folded(column, -0.5, width - 0.5)
    elif padding_mode not in ("constant", "border"):
        allowed = "constant, border, reflection, symmetric"
        raise PackageError("resample: unknown padding mode", value=padding_mode, allowed=allowed)
    if padding_mode == "constant":
        # Far outside is as good as just outside, and fits an integer.
        row, column = row.clamp(-2, height + 1), column.clamp(-2, width + 1)
    else:
        row, column = row.clamp(0, height - 1), column.clamp(0, width - 1)
    batch = torch.arange(x.shape[0], device=x.device)[:, None, None]
    outside = padding_value if padding_mode == "constant" else None
    if sampling_mode == "bilinear":
        return bilinear(x, batch, row, column, outside)
    if sampling_mode != "nearest":
        raise PackageError("resample: unknown sampling mode", value=sampling_mode, allowed="bilinear, nearest")
    row, column = row.round(), column.round()
    value = _taps(x, batch, row.to(torch.int64), column.to(torch.int64))
    if outside is None:
        return value
    return torch.where((within(row, height) & within(column, width))[:, None], value, outside)


def _torch_padding(mode: str, value: float, align_corners: bool) -> str | None:
    """The name of a padding that torch has as well; its reflection mirrors where the corners are."""
    if mode == "constant":
        return "zeros" if value == 0 else None
    if mode == ("reflection" if align_corners else "symmetric"):
        return "reflection"
    return "border" if mode == "border" else None


def _in_pixels(place: Tensor, size: int, mode: str, align_corners: bool) -> Tensor:
    if mode == "unnormalized":
        return place
    if mode == "normalized_minus_one_to_one":
        place = (place + 1) / 2
    elif mode != "normalized_zero_to_one":
        allowed = "unnormalized, normalized_minus_one_to_one, normalized_zero_to_one"
        raise PackageError("unknown coordinates mode", value=mode, allowed=allowed)
    return place * (size - 1) if align_corners else place * size - 0.5


@op("affine")
def affine(
    x: Tensor,
    transform_matrix: Tensor,
    output_height: int,
    output_width: int,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
) -> Tensor:
    """Resamples at x' = a0 x + a1 y + a2, y' = b0 x + b1 y + b2 for (x, y) on the grid of the output.

    `transform_matrix` holds [a0, a1, a2, b0, b1, b2] for each image, or once for all.
    """
    if coordinates_mode != "normalized_minus_one_to_one":
        allowed = "normalized_minus_one_to_one"
        raise PackageError("affine: unknown coordinates mode", value=coordinates_mode, allowed=allowed)
    matrix = transform_matrix.to(torch.float64).reshape(-1, 2, 3)[:, None, None]
    across = _grid(output_width, align_corners, x.device)
    down = _grid(output_height, align_corners, x.device)[:, None, None]
    places = matrix[..., 0] * across[:, None] + matrix[..., 1] * down + matrix[..., 2]
    places = places.expand(x.shape[0], -1, -1, -1)
    return _resample(x, places, sampling_mode, padding_mode, padding_value, coordinates_mode, align_corners)


def _grid(count: int, align_corners: bool, device: torch.device) -> Tensor:
    """The normalized places of `count` pixels; a single one lies in the middle."""
    step = torch.arange(count, dtype=torch.float64, device=device)
    if align_corners and count > 1:
        return 2 * step / (count - 1) - 1
    return (2 * step + 1) / count - 1
