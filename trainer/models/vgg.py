"""VGG-16 for 64x64 images.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014
(https://arxiv.org/abs/1409.1556), configuration D.

Deviations:
- Batch normalization after each convolution (the paper predates it): without it, 13 layers do not train from scratch
  in one go, and the paper itself started from a shallower network.
- Global average pooling (Lin et al., 2013, https://arxiv.org/abs/1312.4400) and one linear layer, in place of the three
  linear layers that hold 124M of the original's 138M parameters. It takes images of any size from 32 on.
"""

from __future__ import annotations

from torch import Tensor, nn

from ..architecture import Architecture, architectures
from ..layers import conv_bn, init_relu_network

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


class VGG(nn.Module):
    """Five stages of 3x3 convolutions, each ended by a 2x2 max-pool; 64x64 becomes 2x2."""

    def __init__(self, classes: int, dropout: float) -> None:
        super().__init__()
        features: list[nn.Module] = []
        inputs = 3
        for width, layers in STAGES:
            for _ in range(layers):
                features += [*conv_bn(inputs, width, 3), nn.ReLU(inplace=True)]
                inputs = width
            features.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*features)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(inputs, classes)
        init_relu_network(self)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 3, H, W] to logits [N, classes]."""
        pooled = self.features(images).mean((2, 3))
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


architectures.add(
    "vgg",
    Architecture(
        title="VGG-16",
        paper="https://arxiv.org/abs/1409.1556",
        build=lambda classes, dropout, _drop_path: VGG(classes, dropout),
        dropout=0.3,
        has_drop_path=False,
        smallest=32,  # five halvings
        recipes={"best": {"epochs": 120}},
        quick_optimizer="muon",
    ),
)
