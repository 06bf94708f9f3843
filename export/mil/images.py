"""Pictures in and out: PIL images to the tensors of a program and back, the way Core ML hands them over."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from ...errors import InputError
from .description import ImageFeature

_MODES = {"RGB": "RGB", "BGR": "RGB", "GRAYSCALE": "L", "GRAYSCALE_FLOAT16": "F"}
"""The PIL mode that coremltools asks for, by color space."""


def image_tensor(feature: ImageFeature, value: Any) -> torch.Tensor:
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
    return pixels_tensor(feature, np.asarray(value)[None])


def pixels_tensor(feature: ImageFeature, pixels: np.ndarray) -> torch.Tensor:
    """Pixels [N, height, width, 3] (RGB order) or [N, height, width] as float32 [N, channels, height, width]."""
    tensor = torch.from_numpy(np.ascontiguousarray(pixels)) if pixels.flags.writeable else torch.tensor(pixels)
    if tensor.dim() == 3:
        return tensor.unsqueeze(1).to(torch.float32)
    if feature.color == "BGR":
        tensor = tensor.flip(-1)
    return tensor.permute(0, 3, 1, 2).to(torch.float32).contiguous()


def tensor_image(feature: ImageFeature, value: torch.Tensor) -> Image.Image:
    """[1, channels, height, width] as a PIL image: RGBA (opaque) for colors, L or F for gray, as coremltools returns.

    Colors and 8-bit grays are clamped to 0..255 and rounded.
    """
    array = value.detach().reshape(value.shape[-3:]).numpy()
    if feature.color == "GRAYSCALE_FLOAT16":
        return Image.fromarray(array[0].astype(np.float32))
    bytes_ = np.clip(np.rint(array), 0, 255).astype(np.uint8)
    if feature.color == "GRAYSCALE":
        return Image.fromarray(bytes_[0])
    rgb = bytes_[::-1] if feature.color == "BGR" else bytes_
    opaque = np.full((1, *rgb.shape[1:]), 255, np.uint8)
    return Image.fromarray(np.ascontiguousarray(np.concatenate([rgb, opaque]).transpose(1, 2, 0)))
