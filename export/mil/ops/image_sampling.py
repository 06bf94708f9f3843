"""Sampling at computed places: crop_resize, resample, affine."""

from __future__ import annotations

import torch
from torch import Tensor

from ....errors import PackageError
from .image_resizing import SAMPLING_MODES
from .registry import op


def _taps(image: Tensor, batch: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """[n, C, h, w]: the pixels of images `batch` [n, 1, 1] at integer rows and columns that broadcast to [n, h, w]."""
    rows, columns = row.clamp(0, image.shape[-2] - 1), column.clamp(0, image.shape[-1] - 1)
    return image[batch, :, rows, columns].permute(0, 3, 1, 2)


def _bilinear(image: Tensor, batch: Tensor, y: Tensor, x: Tensor, outside: float | None) -> Tensor:
    """Interpolates at float64 places; each pixel beyond the image counts as `outside`, or as the nearest if None."""
    top, left = y.floor(), x.floor()
    down, right = (y - top).to(image.dtype)[:, None], (x - left).to(image.dtype)[:, None]
    row, column = top.to(torch.int64), left.to(torch.int64)

    def pixel(below: int, beside: int) -> Tensor:
        value = _taps(image, batch, row + below, column + beside)
        if outside is None:
            return value
        inside = _within(row + below, image.shape[-2]) & _within(column + beside, image.shape[-1])
        return torch.where(inside[:, None], value, outside)

    upper = torch.lerp(pixel(0, 0), pixel(0, 1), right)
    lower = torch.lerp(pixel(1, 0), pixel(1, 1), right)
    return torch.lerp(upper, lower, down)


def _within(place: Tensor, size: int) -> Tensor:
    return (place >= 0) & (place <= size - 1)


def _folded(place: Tensor, low: float, high: float) -> Tensor:
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

    A normalised range spans the centres of the outer pixels with `align_corners`, their outer edges without. "constant"
    pads pixel by pixel; "reflection" mirrors at the centres of the outer pixels, "symmetric" at their edges. The
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
        row, column = _folded(row, 0, height - 1), _folded(column, 0, width - 1)
    elif padding_mode == "symmetric":
        row, column = _folded(row, -0.5, height - 0.5), _folded(column, -0.5, width - 0.5)
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
        return _bilinear(x, batch, row, column, outside)
    if sampling_mode != "nearest":
        raise PackageError("resample: unknown sampling mode", value=sampling_mode, allowed="bilinear, nearest")
    row, column = row.round(), column.round()
    value = _taps(x, batch, row.to(torch.int64), column.to(torch.int64))
    if outside is None:
        return value
    return torch.where((_within(row, height) & _within(column, width))[:, None], value, outside)


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
    """The normalised places of `count` pixels; a single one lies in the middle."""
    step = torch.arange(count, dtype=torch.float64, device=device)
    if align_corners and count > 1:
        return 2 * step / (count - 1) - 1
    return (2 * step + 1) / count - 1


@op("crop_resize")
def crop_resize(
    x: Tensor,
    roi: Tensor,
    target_height: int = 1,
    target_width: int = 1,
    normalized_coordinates: bool = False,
    spatial_scale: float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
) -> Tensor:
    """Each box of `roi` from every image, resized; samples beyond the image are 0.

    With `roi` [N, 1, 4, 1, 1] the result is [N, B, C, h, w]; with [N, 1, 5, 1, 1], where a box starts with the number
    of its image, it is [N, 1, C, h, w].
    """
    target = (target_height, target_width)
    return _crop_rois(
        x, roi, target, normalized_coordinates, spatial_scale, box_coordinate_mode, sampling_mode, pad_value=0.0
    )


@op("crop_resize", since="iOS16")
def crop_resize_padded(
    x: Tensor,
    roi: Tensor,
    target_height: int = 1,
    target_width: int = 1,
    normalized_coordinates: bool = False,
    spatial_scale: float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
    pad_value: float = 0.0,
) -> Tensor:
    """As before; samples beyond the image are `pad_value`."""
    target = (target_height, target_width)
    return _crop_rois(
        x, roi, target, normalized_coordinates, spatial_scale, box_coordinate_mode, sampling_mode, pad_value
    )


@op("crop_resize", since="iOS17")
def crop_resize_indexed(
    x: Tensor,
    boxes: Tensor,
    box_indices: Tensor | None = None,
    target_height: int = 1,
    target_width: int = 1,
    normalized_coordinates: bool = False,
    spatial_scale: float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
    pad_value: float = 0.0,
) -> Tensor:
    """[N, C, h, w]: box i of `boxes` [N, 4] from image `box_indices[i]`, by default from image i."""
    images = torch.arange(boxes.shape[0], device=x.device) if box_indices is None else box_indices.to(torch.int64)
    target = (target_height, target_width)
    edges = _edges(boxes, x.shape[-2:], normalized_coordinates, spatial_scale, box_coordinate_mode)
    return _cropped(x, images, edges, target, sampling_mode, pad_value)


def _crop_rois(
    x: Tensor,
    roi: Tensor,
    target: tuple[int, int],
    normalized: bool,
    scale: float,
    box_mode: str,
    sampling_mode: str,
    pad_value: float,
) -> Tensor:
    rows = roi.reshape(roi.shape[0], -1)
    edges = _edges(rows[:, -4:], x.shape[-2:], normalized, scale, box_mode)
    if rows.shape[1] == 5:
        images = rows[:, 0].round().to(torch.int64)
        return _cropped(x, images, edges, target, sampling_mode, pad_value)[:, None]
    images = torch.arange(x.shape[0], device=x.device).repeat(rows.shape[0])
    crops = _cropped(x, images, edges.repeat_interleave(x.shape[0], dim=1), target, sampling_mode, pad_value)
    return crops.reshape((rows.shape[0], x.shape[0], *crops.shape[1:]))


def _edges(boxes: Tensor, size: tuple[int, ...], normalized: bool, scale: float, mode: str) -> Tensor:
    """float64 [4, N]: top, bottom, left, right in pixels, whatever the boxes are written in."""
    first, second, third, fourth = (boxes.to(torch.float64) * scale).unbind(1)
    if mode.endswith("WIDTH_FIRST"):
        first, second, third, fourth = second, first, fourth, third
    if mode in ("CORNERS_HEIGHT_FIRST", "CORNERS_WIDTH_FIRST"):
        top, bottom, left, right = first, third, second, fourth
    elif mode in ("CENTER_SIZE_HEIGHT_FIRST", "CENTER_SIZE_WIDTH_FIRST"):
        top, bottom = first - third / 2, first + third / 2
        left, right = second - fourth / 2, second + fourth / 2
    else:
        allowed = "CORNERS_ or CENTER_SIZE_ with HEIGHT_FIRST or WIDTH_FIRST"
        raise PackageError("crop_resize: unknown box mode", value=mode, allowed=allowed)
    high, wide = (size[0] - 1, size[1] - 1) if normalized else (1, 1)
    return torch.stack([top * high, bottom * high, left * wide, right * wide])


def _cropped(
    x: Tensor, images: Tensor, edges: Tensor, target: tuple[int, int], sampling_mode: str, pad_value: float
) -> Tensor:
    height, width = x.shape[-2:]
    row = _box_places(edges[0], edges[1], target[0], sampling_mode)
    column = _box_places(edges[2], edges[3], target[1], sampling_mode)
    if sampling_mode == "UNALIGN_CORNERS":
        # What Core ML returns for a box beyond the image fits a reflection there, and no padding.
        row, column = _folded(row, 0, height - 1), _folded(column, 0, width - 1)
    inside = _within(row, height)[:, :, None] & _within(column, width)[:, None, :]
    row, column = row.clamp(0, height - 1)[:, :, None], column.clamp(0, width - 1)[:, None, :]
    sampled = _bilinear(x, images[:, None, None], row, column, None)
    return torch.where(inside[:, None], sampled, pad_value)


def _box_places(start: Tensor, end: Tensor, count: int, mode: str) -> Tensor:
    """[N, count]: the samples of a box from the centre of its first pixel to that of its last.

    They lie as on an axis of `end - start + 1` elements; from the other side where the end comes first.
    """
    start, end = start[:, None], end[:, None]
    step = torch.arange(count, dtype=start.dtype, device=start.device)
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        if count == 1:
            return (start + end) / 2 if mode == "ALIGN_CORNERS" else start
        return torch.lerp(start, end, (step / (count - 1)).expand(start.shape[0], -1))
    length = (end - start).abs()
    if mode == "DEFAULT":
        place = step * (length + 1) / count
    elif mode == "OFFSET_CORNERS":
        place = (step + 0.5) * length.clamp(min=1) / count
    elif mode == "UNALIGN_CORNERS":
        place = (step + 0.5) * (length + 1) / count - 0.5
    else:
        raise PackageError("crop_resize: unknown sampling mode", value=mode, allowed=", ".join(SAMPLING_MODES))
    if mode != "OFFSET_CORNERS":
        place = place.clamp(min=0).minimum(length)
    return torch.where(end >= start, start + place, start - place)
