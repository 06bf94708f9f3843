"""ConvNeXt for 64x64 images, of the size Pico.

Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: A ConvNet for the 2020s, 2022 (https://arxiv.org/abs/2201.03545); widths of
64 to 512 and depths of 2, 2, 6, 2 are timm's convnext_pico.

Deviations:
- The stem takes patches of 2x2 instead of 4x4: the stages see 32, 16, 8 and 4 values a side, where the original's would
  see 16, 8, 4 and 2.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ..architecture import Architecture, architectures
from ..deit import as_deit
from ..depthwise import DepthwiseConv2d
from ..layers import DropPath, drop_path_rates

WIDTHS = (64, 128, 256, 512)
DEPTHS = (2, 2, 6, 2)
PATCH = 2
EPSILON = 1e-6
SCALE = 1e-6
"""Of each branch at the start."""


class ChannelNorm(nn.LayerNorm):
    """Layer normalization over the channels of images [N, channels, H, W]."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] to the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """Filter by depth with 7x7, normalize, and an MLP over the channels of each place, around a shortcut."""

    def __init__(self, width: int, dropout: float, drop_path: float) -> None:
        super().__init__()
        self.filter = DepthwiseConv2d(width, 7)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(4 * width, width)
        )
        self.scale = nn.Parameter(torch.full((width,), SCALE))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """[N, width, H, W] to the same shape."""
        y = self.norm(self.filter(x).permute(0, 2, 3, 1))
        y = (self.mlp(y) * self.scale).permute(0, 3, 1, 2)
        added: Tensor = x + self.drop_path(y)
        return added


class ConvNeXt(nn.Module):
    """A stem of patches, four stages with halvings between them, global average pooling and a classifier."""

    def __init__(self, classes: int, dropout: float, drop_path: float) -> None:
        super().__init__()
        rates = iter(drop_path_rates(drop_path, sum(DEPTHS)))
        layers: list[nn.Module] = [nn.Conv2d(3, WIDTHS[0], PATCH, stride=PATCH), ChannelNorm(WIDTHS[0])]
        before = (WIDTHS[0], *WIDTHS)
        for (inputs, width), depth in zip(pairwise(before), DEPTHS, strict=True):
            if inputs != width:
                layers += [ChannelNorm(inputs), nn.Conv2d(inputs, width, 2, stride=2)]
            layers += [Block(width, dropout, next(rates)) for _ in range(depth)]
        self.features = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(WIDTHS[-1], eps=EPSILON)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(WIDTHS[-1], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 3, H, W] to logits [N, classes]."""
        pooled = self.norm(self.features(images).mean((2, 3)))
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


architectures.add(
    "convnext",
    Architecture(
        title="ConvNeXt-P",
        paper="https://arxiv.org/abs/2201.03545",
        build=ConvNeXt,
        dropout=0.0,
        has_drop_path=True,
        recipes=as_deit(epochs=150, demo_lr=1e-3),
        quick_optimizer="muon",
    ),
)
