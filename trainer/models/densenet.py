"""DenseNet-121 for 64x64 images.

Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, 2016
(https://arxiv.org/abs/1608.06993): blocks of 6, 12, 24 and 16 layers with bottlenecks (BC).

Deviations:
- The stem is a 3x3 convolution with stride 1 and no pooling follows, as in the paper's own CIFAR networks: the
  ImageNet stem would leave 16x16 of a 64x64 image before the first block.
- The growth rate is 17 instead of 32, with 96 channels after the stem: a quarter of the parameters, 2.2M, at the same
  depth.

What 58 layers keep for the backward pass would be 13 GB for 128 images, mostly copies of the same channels. In training
each layer therefore computes its bottleneck a second time (Pleiss et al., 2017, https://arxiv.org/abs/1707.06990),
unless it is told that there is memory enough.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..architecture import Architecture, architectures
from ..layers import init_relu_network

BLOCKS = (6, 12, 24, 16)
GROWTH = 17
STEM = 96
BOTTLENECK = 4
COMPRESSION = 0.5
MOMENTUM, TWICE = 0.1, 1.0 - math.sqrt(0.9)


class DenseLayer(nn.Module):
    """Normalize, rectify, 1x1; normalize, rectify, 3x3: GROWTH new channels."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        width = BOTTLENECK * GROWTH
        self.recompute = True
        self.bottleneck = nn.Sequential(
            # Seen twice a step by the recomputation: two of these updates are one with the usual momentum of 0.1.
            nn.BatchNorm2d(inputs, momentum=TWICE),
            nn.ReLU(inplace=True),
            nn.Conv2d(inputs, width, 1, bias=False),
        )
        self.growth = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.Conv2d(width, GROWTH, 3, padding=1, bias=False)
        )

    def forward(self, parts: list[Tensor]) -> Tensor:
        """What the layers before made, together [N, inputs, H, W], to [N, GROWTH, H, W]."""
        if self.recompute and self.training and torch.is_grad_enabled():
            narrow = checkpoint(self._narrowed, *parts, use_reentrant=False, preserve_rng_state=False)
        else:
            narrow = self._narrowed(*parts)
        grown: Tensor = self.growth(narrow)
        return grown

    def _narrowed(self, *parts: Tensor) -> Tensor:
        narrow: Tensor = self.bottleneck(torch.cat(parts, 1))
        return narrow


class DenseBlock(nn.ModuleList):
    """Layers that each see what all before them made."""

    def __init__(self, inputs: int, depth: int) -> None:
        super().__init__(DenseLayer(inputs + layer * GROWTH) for layer in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, inputs + depth * GROWTH, H, W]."""
        parts = [x]
        for layer in self:
            parts.append(layer(parts))
        return torch.cat(parts, 1)


class Transition(nn.Sequential):
    """Between blocks: fewer channels, half the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.BatchNorm2d(inputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.AvgPool2d(2),
        )


class DenseNet(nn.Module):
    """Four dense blocks with transitions between them; 64x64 becomes 8x8."""

    def __init__(self, classes: int, dropout: float) -> None:
        super().__init__()
        channels = STEM
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1, bias=False)]
        for block, depth in enumerate(BLOCKS):
            if block > 0:
                reduced = int(channels * COMPRESSION)
                layers.append(Transition(channels, reduced))
                channels = reduced
            layers.append(DenseBlock(channels, depth))
            channels += depth * GROWTH
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, classes)
        init_relu_network(self)

    def recompute(self, on: bool) -> None:
        """Whether training computes activations twice instead of keeping them: 5 GB instead of 13 for 128 images."""
        for module in self.modules():
            if isinstance(module, DenseLayer):
                module.recompute = on
                norm = module.bottleneck[0]
                assert isinstance(norm, nn.BatchNorm2d)  # noqa: S101 (for the type checker)
                norm.momentum = TWICE if on else MOMENTUM

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 3, H, W] to logits [N, classes]."""
        pooled = self.features(images).mean((2, 3))
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


architectures.add(
    "densenet",
    Architecture(
        title="DenseNet-121",
        paper="https://arxiv.org/abs/1608.06993",
        build=lambda classes, dropout, _drop_path: DenseNet(classes, dropout),
        dropout=0.0,
        has_drop_path=False,
        recipes={
            "best": {
                "weight_decay": 2e-4,
                "crop_padding": 4,
                "rotation_degrees": 0.0,
                "color_jitter": 0.2,
                "erasing": 0.1,
                # A small network: lighter mixing.
                "mixup_alpha": 0.2,
                "cutmix_alpha": 0.2,
                "mix_probability": 0.5,
            },
        },
        quick_optimizer="muon",
    ),
)
