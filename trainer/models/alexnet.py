"""AlexNet for 64x64 images.

Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012
(https://papers.nips.cc/paper/4824); the widths are those of the one-tower form, https://arxiv.org/abs/1404.5997.

Deviations:
- All kernels are 3x3 with stride 1. The original's 11x11 stride 4 leaves a 64x64 image 15x15 after the first layer.
- Batch normalization after each convolution, in place of local response normalization: it trains from scratch at
  learning rates ten times higher, and folds into the convolution at export.
- The classifier is 1024-512 wide instead of 4096-4096: most of the original's 61M parameters are there, and 200
  classes do not need them.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ..architecture import Architecture, architectures, check_input
from ..layers import at_side, conv_bn, init_relu_network

SIDE = 7
"""Of the last map of a 64x64 image."""


class AlexNet(nn.Module):
    """Five convolutions with three overlapping max-pools, then three linear layers."""

    def __init__(self, classes: int, dropout: float) -> None:
        super().__init__()
        widths = (3, 64, 192, 384, 256, 256)
        features: list[nn.Module] = []
        for layer, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            features += [*conv_bn(inputs, outputs, 3), nn.ReLU(inplace=True)]
            if layer in (1, 2, 5):
                features.append(nn.MaxPool2d(3, stride=2))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * SIDE * SIDE, 1024),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(1024, 512),
            nn.ReLU(inplace=True),
            nn.Linear(512, classes),
        )
        init_relu_network(self)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 3, 64, 64], in training smaller ones as well, to logits [N, classes]."""
        check_input(images, smaller=self.training)
        logits: Tensor = self.classifier(torch.flatten(at_side(self.features(images), SIDE), 1))
        return logits


architectures.add(
    "alexnet",
    Architecture(
        title="AlexNet",
        paper="https://papers.nips.cc/paper/4824",
        build=lambda classes, dropout, _drop_path: AlexNet(classes, dropout),
        dropout=0.5,
        has_drop_path=False,
        recipes={
            # Its wide linear layers, which nothing normalizes, do not survive the first updates at 0.1.
            "reference": {"warmup_epochs": 5, "warmup_start_lr": 1e-3},
            "best": {"epochs": 120, "lr": 0.03, "clip_norm": 5.0},
        },
        quick_optimizer="muon",
    ),
)
