"""ResNet-18 with the first layer of its paper, for 64x64 images: a quarter of the work of `resnet`.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015 (https://arxiv.org/abs/1512.03385).

Deviations:
- No max-pool follows the 7x7 convolution with stride 2: the first blocks see 32x32 of a 64x64 image, where those of
  `resnet` see all of it. Every weight has the paper's shape, so that weights from ImageNet fit (`--init`).
- As in `resnet`: dropout before the classifier, and the second normalization of each block starts at zero.
"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from ..architecture import architectures
from .resnet import RESNET18, ResNet


def _build(classes: int, dropout: float, drop_path: float) -> nn.Module:
    return ResNet(classes, dropout, drop_path, stem=(7, 2))


architectures.add("resnet7x7", replace(RESNET18, title="ResNet-18 (7x7 stem)", build=_build))
