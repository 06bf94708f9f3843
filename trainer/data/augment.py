"""Training augmentation of a whole batch at once, with parameters of its own for every image.

torchvision's v2 transforms draw one set of parameters for a batch (https://github.com/pytorch/vision/issues/8484), so
it needs a call an image. Here crop and flip are one copy, or with a rotation one affine sampling (`moving`), and all
color changes one 3x4 matrix an image. Parameters are drawn on the CPU from an explicit generator, hence alike for every
device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from tinyml.schema import Preprocess, TrainConfig

from ..device import sent
from .boxes import boxes
from .moving import affine, cropped
from .policies import policies

_LUMA = (0.2989, 0.587, 0.114)
_HUE_SHARE = 0.1
"""Of the color jitter's strength: hue turns are far more visible than the other changes."""

_ERASED_AREA = (0.02, 0.33)
_ERASED_RATIO = (0.3, 3.3)


@dataclass(frozen=True, kw_only=True)
class Augment:
    """What may happen to an image; a strength of zero leaves its part out.

    `crop_padding`: pixels of zeros around it, of which a random crop is taken. `rotation_degrees`: turned by up to as
    much either way (bilinear, zeros outside). `color_jitter`: brightness, contrast and saturation multiplied by
    1 ± as much, in this order, the hue turned by up to a tenth of it. `erasing`: the probability that a random box
    (2-33% of the area, ratio 0.3-3.3, as in arXiv:1708.04896) is set to the mean. `policy`: one of `policies`.
    """

    crop_padding: int = 4
    flip: bool = True
    rotation_degrees: float = 10.0
    color_jitter: float = 0.2
    erasing: float = 0.5
    policy: str | None = None

    @classmethod
    def of(cls, config: TrainConfig) -> Augment:
        """The augmentation that `config` asks for."""
        return cls(
            crop_padding=config.crop_padding,
            flip=config.flip,
            rotation_degrees=config.rotation_degrees,
            color_jitter=config.color_jitter,
            erasing=config.erasing,
            policy=config.policy,
        )

    def __call__(
        self,
        images: Tensor,
        preprocess: Preprocess,
        generator: torch.Generator,
        *,
        size: int | None = None,
        mirrored: Tensor | None = None,
    ) -> Tensor:
        """Augments and normalizes.

        Args:
            images: uint8 [B, 3, H, W], on any device.
            preprocess: the mean and standard deviation for the end.
            generator: a CPU generator; it alone decides what happens.
            size: of the result, the images scaled to it first; None: their own.
            mirrored: bool [B]: which are mirrored, instead of a random half.

        Returns:
            float32 [B, 3, size, size] on the images' device, normalized.
        """
        size = images.shape[-1] if size is None else size
        mirrored = self.mirrored(len(images), generator) if mirrored is None else mirrored
        padding = round(self.crop_padding * size / images.shape[-1])
        if self.rotation_degrees:
            values = self._turned(resized(images, size), mirrored, padding, generator)
        elif not (padding or self.flip):
            values = resized(images, size)
        elif size == images.shape[-1]:
            values = resized(self._moved(images, mirrored, padding, generator), size)
        else:
            values = self._moved(resized(images, size), mirrored, padding, generator)
        if self.policy is not None:
            values = policies.get(self.policy)(values.contiguous(), generator)
        if self.color_jitter:
            values = self._recolored(values, generator)
        values = normalized(values, preprocess)
        if self.erasing:
            values = self._erased(values, generator)
        return values

    def mirrored(self, batch: int, generator: torch.Generator) -> Tensor:
        """Which of `batch` images are mirrored, bool [batch]: half of them, or none; drawn before all else."""
        return torch.rand(batch, generator=generator) < (0.5 if self.flip else 0.0)

    @staticmethod
    def _moved(images: Tensor, mirrored: Tensor, padding: int, generator: torch.Generator) -> Tensor:
        corner = torch.randint(0, 2 * padding + 1, (len(images), 2), generator=generator)
        return cropped(images, mirrored, corner, padding)

    def _turned(self, images: Tensor, mirrored: Tensor, padding: int, generator: torch.Generator) -> Tensor:
        batch, _, height, width = images.shape
        angle = math.radians(self.rotation_degrees) * _uniform(batch, -1.0, 1.0, generator)
        mirror = 1.0 - 2.0 * mirrored.float()
        shift = torch.randint(0, 2 * padding + 1, (batch, 2), generator=generator) - padding
        cos, sin = torch.cos(angle), torch.sin(angle)
        aspect = height / width
        # From a place of the result to the place in the image that it shows: turned, mirrored, shifted.
        rows = (
            torch.stack((mirror * cos, -mirror * sin * aspect, 2.0 * shift[:, 0] / width), dim=1),
            torch.stack((sin / aspect, cos, 2.0 * shift[:, 1] / height), dim=1),
        )
        return affine(images.contiguous(), sent(torch.stack(rows, dim=1), images.device), mode="bilinear")

    def _recolored(self, images: Tensor, generator: torch.Generator) -> Tensor:
        images = images.contiguous()
        batch = len(images)
        low, high = 1.0 - self.color_jitter, 1.0 + self.color_jitter
        brightness, contrast, saturation = (_uniform(batch, low, high, generator)[:, None, None] for _ in range(3))
        turn = 2.0 * math.pi * _HUE_SHARE * self.color_jitter * _uniform(batch, -1.0, 1.0, generator)
        luma = torch.tensor(_LUMA)
        gray = luma.expand(3, 3)
        eye = torch.eye(3)
        hue = _hue_rotation(turn)
        colors = (saturation * eye + (1.0 - saturation) * gray) @ hue
        matrix = sent(brightness * contrast * colors, images.device)
        # Contrast moves every value from the image's mean gray, which saturation leaves as it is.
        mean_gray = images.mean(dim=(2, 3)) @ sent(luma, images.device)
        offset = sent(((1.0 - contrast) * brightness)[:, 0], images.device) * mean_gray[:, None]
        changed = torch.bmm(matrix, images.flatten(2)).add_(offset[:, :, None])
        return changed.clamp_(0.0, 1.0).view_as(images)

    def _erased(self, images: Tensor, generator: torch.Generator) -> Tensor:
        batch, _, height, width = images.shape
        chosen = torch.rand(batch, generator=generator) < self.erasing
        area = height * width * _uniform(batch, *_ERASED_AREA, generator)
        ratio = torch.exp(_uniform(batch, math.log(_ERASED_RATIO[0]), math.log(_ERASED_RATIO[1]), generator))
        tall = (area * ratio).sqrt().round().clamp(max=height) * chosen
        wide = (area / ratio).sqrt().round().clamp(max=width)
        return images.contiguous().mul_(1.0 - boxes(tall, wide, height, width, generator, images.device))


def resized(images: Tensor, size: int) -> Tensor:
    """Images uint8 [B, 3, H, H] as float32 [B, 3, size, size] from 0 to 1, smoothed where they shrink."""
    values = images.float()
    times, rest = divmod(images.shape[-1], size)
    if rest:
        values = functional.interpolate(values.contiguous(), (size, size), mode="bilinear", antialias=True)
    elif times > 1:  # the mean of whole pixels, which is faster and the same on every device
        values = _summed(_summed(values, 2, times), 3, times).div_(times * times)
    return values.div_(255.0)


def _summed(values: Tensor, dim: int, times: int) -> Tensor:
    """The sums of `times` neighbors along a dimension."""
    shape = (*values.shape[:dim], -1, times, *values.shape[dim + 1 :])
    first, *others = values.view(shape).unbind(dim + 1)
    return sum(others, start=first)


def normalized(images: Tensor, preprocess: Preprocess) -> Tensor:
    """`(images - mean) / std` per channel, in place; images float [B, 3, H, W] from 0 to 1."""
    mean, std = (sent(torch.tensor(each), images.device) for each in (preprocess.mean, preprocess.std))
    if images.is_contiguous(memory_format=torch.channels_last):
        width = images.shape[3]
        lines = images.permute(0, 2, 3, 1).view(len(images), -1, width * 3)  # three values at a time are slow
        lines.sub_(mean.repeat(width)).div_(std.repeat(width))
        return images
    return images.sub_(mean[:, None, None]).div_(std[:, None, None])


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def _hue_rotation(turn: Tensor) -> Tensor:
    """Turns about the gray axis, [B, 3, 3]: luma and grays stay, the two chroma axes of YIQ turn by `turn` radians."""
    cos, sin = torch.cos(turn), torch.sin(turn)
    zero, one = torch.zeros_like(turn), torch.ones_like(turn)
    plane = torch.stack((one, zero, zero, zero, cos, -sin, zero, sin, cos), dim=1).view(-1, 3, 3)
    forth, back = _yiq()
    return back @ plane @ forth


@cache
def _yiq() -> tuple[Tensor, Tensor]:
    """From RGB to YIQ, and back."""
    forth = torch.tensor((_LUMA, (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112)))
    return forth, torch.linalg.inv(forth)
