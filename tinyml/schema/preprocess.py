"""From an image file to a model's input."""

from __future__ import annotations

from typing import Literal

from .base import RGB, PositiveInt, Record


class Preprocess(Record):
    """From an image file to a model's input; baked into every exported model from `mean` on.

    RGB, the shorter side resized to `resize` (antialiased bilinear, as Pillow's BILINEAR), the central
    `input_size` x `input_size` cropped; then `(value / 255 - mean) / std` per channel.
    """

    input_size: PositiveInt = 64
    resize: PositiveInt = 64
    crop: Literal["center"] = "center"
    interpolation: Literal["bilinear"] = "bilinear"
    channel_order: Literal["rgb"] = "rgb"
    mean: RGB = (0.485, 0.456, 0.406)
    std: RGB = (0.229, 0.224, 0.225)
