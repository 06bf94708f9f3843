"""MixUp and CutMix with a choice, a partner and a share of its own for every image of a batch.

MixUp: Zhang et al. 2018, arXiv:1710.09412. CutMix: Yun et al. 2019, arXiv:1905.04899. Unlike in the papers and in
torchvision, the share is drawn per image rather than per batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.special import betaincinv
from torch import Tensor
from torch.nn import functional

from tinyml.schema import TrainConfig

from ..device import sent
from .boxes import boxes


@dataclass(frozen=True, kw_only=True)
class Mixing:
    """How images are mixed: with `probability`, by MixUp or CutMix, equally often where both have an alpha above 0."""

    mixup_alpha: float = 0.0
    cutmix_alpha: float = 0.0
    probability: float = 1.0

    @classmethod
    def of(cls, config: TrainConfig) -> Mixing:
        """The mixing that `config` asks for."""
        return cls(mixup_alpha=config.mixup_alpha, cutmix_alpha=config.cutmix_alpha, probability=config.mix_probability)

    @property
    def active(self) -> bool:
        """Whether any image is ever mixed."""
        return self.probability > 0.0 and (self.mixup_alpha > 0.0 or self.cutmix_alpha > 0.0)

    def __call__(
        self, images: Tensor, labels: Tensor, classes: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Mixes every image with its neighbor in the batch, which is a random one in a shuffled batch.

        Args:
            images: float [B, 3, H, W].
            labels: int64 [B], on the images' device.
            classes: how many there are.
            generator: a CPU generator.

        Returns:
            The mixed images, and the soft targets, float [B, classes], whose rows sum to 1.
        """
        batch, _, height, width = images.shape
        mixed = torch.rand(batch, generator=generator) < self.probability
        either = torch.rand(batch, generator=generator) < 0.5
        cut = either if self.mixup_alpha and self.cutmix_alpha else torch.full((batch,), self.cutmix_alpha > 0.0)
        share = torch.where(cut, _beta(self.cutmix_alpha, batch, generator), _beta(self.mixup_alpha, batch, generator))
        # The box that CutMix takes from the partner covers 1 - share of the image, and lies inside of it.
        side = torch.where(cut & mixed, (1.0 - share).sqrt(), 0.0)
        tall, wide = (side * height).round(), (side * width).round()
        box = boxes(tall, wide, height, width, generator, images.device)
        kept = torch.where(cut | ~mixed, 1.0, share)
        own = sent(torch.where(cut, 1.0 - tall * wide / (height * width), kept), images.device)[:, None]
        weight = sent(kept, images.device)[:, None, None, None] - box  # all of it is kept where there is a box
        targets = functional.one_hot(labels, classes).to(images.dtype)
        images = images.contiguous()  # a weight for each pixel goes faster channel by channel
        return torch.lerp(images.roll(1, 0), images, weight), torch.lerp(targets.roll(1, 0), targets, own)


def _beta(alpha: float, count: int, generator: torch.Generator) -> Tensor:
    """`count` draws from Beta(alpha, alpha) by its inverse distribution function: torch's own takes no generator."""
    uniform = torch.rand(count, generator=generator, dtype=torch.float64)
    if alpha == 0.0:
        return torch.ones(count)
    return torch.from_numpy(betaincinv(alpha, alpha, uniform.numpy())).float()
