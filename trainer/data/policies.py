"""RandAugment and TrivialAugment over a batch, with an op and a strength of its own for every image.

torchvision draws one op for the whole batch; here each op is applied at once to all the images that drew it. The ops
and their ranges are torchvision's; sizes in pixels are shares of the image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from tinyml.registry import Registry

from ..device import sent
from .moving import affine

Op = Callable[[Tensor, Tensor], Tensor]
"""Images float [n, 3, H, W] from 0 to 1 and a strength [n] each, in the op's own unit, to images of the same shape."""

_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, kw_only=True)
class Range:
    """An op, its strength at the weakest and at the strongest, and whether it goes both ways."""

    op: Op
    weakest: float = 0.0
    strongest: float = 0.0
    signed: bool = False


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How many ops are applied to an image one after the other, from which ranges, and how strongly.

    `strength` is the share of the range; None: drawn anew for each op, evenly.
    """

    ops: tuple[Range, ...]
    rounds: int
    strength: float | None

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Changes images float [B, 3, H, W] from 0 to 1, on any device; the CPU generator alone decides how."""
        count = len(images)
        for _ in range(self.rounds):
            chosen = torch.randint(0, len(self.ops), (count,), generator=generator)
            drawn = torch.rand(count, generator=generator)
            share = drawn if self.strength is None else torch.full((count,), self.strength)
            sign = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
            changed = images.clone()
            for number, entry in enumerate(self.ops):
                which = (chosen == number).nonzero()[:, 0]
                if len(which) == 0:
                    continue
                strength = entry.weakest + (entry.strongest - entry.weakest) * share[which]
                if entry.signed:
                    strength = strength * sign[which]
                places = sent(which, images.device)
                changed[places] = entry.op(images[places], sent(strength, images.device))
            images = changed
        return images


def _identity(images: Tensor, _: Tensor) -> Tensor:
    return images


def _affine(images: Tensor, xx: Tensor, xy: Tensor, x: Tensor, yx: Tensor, yy: Tensor, y: Tensor) -> Tensor:
    """Samples at (xx*u + xy*v + x, yx*u + yy*v + y) for an output place (u, v) in [-1, 1]; zeros outside."""
    rows = torch.stack((torch.stack((xx, xy, x), 1), torch.stack((yx, yy, y), 1)), 1)
    return affine(images, rows, mode="nearest")


def _shear_x(images: Tensor, s: Tensor) -> Tensor:
    one, zero = torch.ones_like(s), torch.zeros_like(s)
    return _affine(images, one, s, zero, zero, one, zero)


def _shear_y(images: Tensor, s: Tensor) -> Tensor:
    one, zero = torch.ones_like(s), torch.zeros_like(s)
    return _affine(images, one, zero, zero, s, one, zero)


def _shift_x(images: Tensor, s: Tensor) -> Tensor:
    one, zero = torch.ones_like(s), torch.zeros_like(s)
    return _affine(images, one, zero, 2 * s, zero, one, zero)


def _shift_y(images: Tensor, s: Tensor) -> Tensor:
    one, zero = torch.ones_like(s), torch.zeros_like(s)
    return _affine(images, one, zero, zero, zero, one, 2 * s)


def _turn(images: Tensor, degrees: Tensor) -> Tensor:
    angle, zero = torch.deg2rad(degrees), torch.zeros_like(degrees)
    cos, sin = torch.cos(angle), torch.sin(angle)
    return _affine(images, cos, -sin, zero, sin, cos, zero)


def _gray(images: Tensor) -> Tensor:
    return torch.einsum("nchw,c->nhw", images, sent(torch.tensor(_LUMA), images.device))[:, None]


def _blended(images: Tensor, other: Tensor, amount: Tensor) -> Tensor:
    """`other` where `amount` is -1, the images where it is 0, beyond them where it is above."""
    return torch.lerp(other, images, 1.0 + amount[:, None, None, None]).clamp_(0.0, 1.0)


def _brightness(images: Tensor, amount: Tensor) -> Tensor:
    return _blended(images, torch.zeros_like(images), amount)


def _color(images: Tensor, amount: Tensor) -> Tensor:
    return _blended(images, _gray(images).expand_as(images), amount)


def _contrast(images: Tensor, amount: Tensor) -> Tensor:
    return _blended(images, _gray(images).mean((2, 3), keepdim=True).expand_as(images), amount)


def _sharpness(images: Tensor, amount: Tensor) -> Tensor:
    kernel = sent(torch.tensor([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]).div_(13.0), images.device)
    smooth = images.clone()
    smooth[..., 1:-1, 1:-1] = functional.conv2d(images, kernel.expand(3, 1, 3, 3), groups=3)
    return _blended(images, smooth, amount)


def _posterize(images: Tensor, bits: Tensor) -> Tensor:
    step = (2.0 ** (8 - bits.round()))[:, None, None, None]
    return ((images * 255.0).round().div(step).floor() * step).div_(255.0)


def _solarize(images: Tensor, threshold: Tensor) -> Tensor:
    return torch.where(images >= threshold[:, None, None, None], 1.0 - images, images)


def _autocontrast(images: Tensor, _: Tensor) -> Tensor:
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    return torch.where(high > low, (images - low) / (high - low).clamp(min=1e-6), images)


def _equalize(images: Tensor, _: Tensor) -> Tensor:
    """As PIL does: the places of a channel's levels in its own histogram."""
    levels = (images * 255.0).round().long().flatten(2).flatten(0, 1)  # [n * 3, pixels]
    histogram = torch.zeros(len(levels), 256, dtype=torch.long, device=images.device)
    histogram.scatter_add_(1, levels, torch.ones_like(levels))
    last = histogram.gather(1, levels.amax(1, keepdim=True))
    step = torch.div(levels.shape[1] - last, 255, rounding_mode="floor")
    before = histogram.cumsum(1) - histogram
    table = torch.div(before + torch.div(step, 2, rounding_mode="floor"), step.clamp(min=1), rounding_mode="floor")
    equalized = table.clamp_(max=255).gather(1, levels).to(images.dtype) / 255.0
    kept = (step == 0).view(len(images), 3, 1, 1)
    return torch.where(kept, images, equalized.view_as(images))


def _menu(shear: float, shift: float, degrees: float, colors: float, bits: float) -> tuple[Range, ...]:
    return (
        Range(op=_identity),
        Range(op=_shear_x, strongest=shear, signed=True),
        Range(op=_shear_y, strongest=shear, signed=True),
        Range(op=_shift_x, strongest=shift, signed=True),
        Range(op=_shift_y, strongest=shift, signed=True),
        Range(op=_turn, strongest=degrees, signed=True),
        Range(op=_brightness, strongest=colors, signed=True),
        Range(op=_color, strongest=colors, signed=True),
        Range(op=_contrast, strongest=colors, signed=True),
        Range(op=_sharpness, strongest=colors, signed=True),
        Range(op=_posterize, weakest=8.0, strongest=bits),
        Range(op=_solarize, weakest=1.0, strongest=0.0),
        Range(op=_autocontrast),
        Range(op=_equalize),
    )


policies: Registry[Policy] = Registry("policy")
"""Augmentation policies, by the value of `--policy`."""

# Müller, Hutter, 2021 (https://arxiv.org/abs/2103.10158), the wide ranges: 32 pixels of 224.
policies.add("trivial", Policy(ops=_menu(0.99, 32 / 224, 135.0, 0.99, 2.0), rounds=1, strength=None))
# Cubuk et al., 2019 (https://arxiv.org/abs/1909.13719): two ops at magnitude 9 of 30.
policies.add("rand", Policy(ops=_menu(0.3, 150 / 331, 30.0, 0.9, 4.0), rounds=2, strength=0.3))
