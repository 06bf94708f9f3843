"""Boxes cut out of images and resized: crop_resize."""

from __future__ import annotations

import torch
from torch import Tensor

from tinyml.errors import PackageError

from .image_resizing import SAMPLING_MODES
from .image_sampling import bilinear, folded, within
from .registry import op


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
        row, column = folded(row, 0, height - 1), folded(column, 0, width - 1)
    inside = within(row, height)[:, :, None] & within(column, width)[:, None, :]
    row, column = row.clamp(0, height - 1)[:, :, None], column.clamp(0, width - 1)[:, None, :]
    if not torch.compiler.is_compiling():
        # A negative one would count from the end; so it is out of bounds like one past the end, and refused as that.
        images = torch.where(images < 0, x.shape[0], images)
    sampled = bilinear(x, images[:, None, None], row, column, None)
    return torch.where(inside[:, None], sampled, pad_value)


def _box_places(start: Tensor, end: Tensor, count: int, mode: str) -> Tensor:
    """[N, count]: the samples of a box from the center of its first pixel to that of its last.

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
