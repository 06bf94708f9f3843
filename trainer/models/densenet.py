"""DenseNet-121 for 64x64 images.

Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, 2016
(https://arxiv.org/abs/1608.06993): blocks of 6, 12, 24 and 16 layers with bottlenecks (BC).

Deviations:
- The stem is a 3x3 convolution with stride 1 and no pooling follows, as in the paper's own CIFAR networks: the
  ImageNet stem would leave 16x16 of a 64x64 image before the first block.
- The growth rate is 17 instead of 32, with 96 channels after the stem: a quarter of the parameters, 2.2M, at the same
  depth.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .architecture import Architecture, architectures
from .layers import init_relu_network

BLOCKS = (6, 12, 24, 16)
GROWTH = 17
STEM = 96
BOTTLENECK = 4
COMPRESSION = 0.5


class DenseLayer(nn.Module):
    """Normalise, rectify, 1x1; normalise, rectify, 3x3: GROWTH new channels."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        width = BOTTLENECK * GROWTH
        self.branch = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(inputs, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, GROWTH, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, inputs + GROWTH, H, W]."""
        return torch.cat([x, self.branch(x)], 1)


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
            for _ in range(depth):
                layers.append(DenseLayer(channels))
                channels += GROWTH
        self.features = nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, classes)
        init_relu_network(self)

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
    ),
)
