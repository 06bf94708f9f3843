"""Pictures in and out: PIL images to the arrays of a program and back, the way Core ML hands them over."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from tinyml.errors import InputError, PackageError

from ..read.description import ImageFeature

_MODES = {"RGB": "RGB", "BGR": "RGB", "GRAYSCALE": "L", "GRAYSCALE_FLOAT16": "F"}
"""The PIL mode that coremltools asks for, by color space."""


def image_array(feature: ImageFeature, value: Any) -> np.ndarray:
    """A PIL image as float32 [1, channels, height, width], 0 to 255 (float gray: as it is).

    Raises:
        InputError: no PIL image, another mode than the feature's, or a size that it may not have.
    """
    if not isinstance(value, Image.Image):
        raise InputError(
            f"input {feature.name!r} must be a PIL image", value=type(value).__name__, allowed=f"a {feature}"
        )
    mode = _MODES[feature.color]
    if value.mode != mode:
        raise InputError(
            f"image {feature.name!r} is of the wrong mode",
            value=value.mode,
            allowed=f"{mode} for {feature.color}",
            hint=f"convert it: image.convert({mode!r})",
        )
    if not feature.fits(value.size):
        raise InputError(
            f"image {feature.name!r} is of the wrong size",
            value=f"{value.width}x{value.height}",
            allowed=feature.allowed,
        )
    return pixels_array(feature, np.asarray(value)[None])


def pixels_array(feature: ImageFeature, pixels: np.ndarray) -> np.ndarray:
    """Pixels [N, height, width, 3] (RGB order) or [N, height, width] as float32 [N, channels, height, width]."""
    planes = pixels[:, None] if pixels.ndim == 3 else pixels.transpose(0, 3, 1, 2)
    if feature.color == "BGR":
        planes = planes[:, ::-1]
    values = np.empty(planes.shape, np.float32)
    values[...] = planes
    return values


def array_image(feature: ImageFeature, value: Any) -> Image.Image:
    """[1, channels, height, width] as a PIL image: RGBA (opaque) for colors, L or F for gray, as coremltools returns.

    Colors and 8-bit grays are clamped to 0..255 and rounded. Raises PackageError for a value that is no image.
    """
    channels = 3 if feature.color in ("RGB", "BGR") else 1
    if (
        not isinstance(value, np.ndarray)
        or value.ndim < 3
        or value.shape[-3] != channels
        or any(size != 1 for size in value.shape[:-3])
    ):
        raise PackageError(
            f"output {feature.name!r} is described as an image, and is none",
            value=list(value.shape) if isinstance(value, np.ndarray) else type(value).__name__,
            allowed=f"[1, {channels}, height, width]",
        )
    array = value.reshape(value.shape[-3:])
    if feature.color == "GRAYSCALE_FLOAT16":
        return Image.fromarray(array[0].astype(np.float32))
    bytes_ = np.clip(np.rint(array), 0, 255).astype(np.uint8)
    if feature.color == "GRAYSCALE":
        return Image.fromarray(bytes_[0])
    rgb = bytes_[::-1] if feature.color == "BGR" else bytes_
    opaque = np.full((1, *rgb.shape[1:]), 255, np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.concatenate([rgb, opaque]).transpose(1, 2, 0)))
