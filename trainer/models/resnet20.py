"""ResNet-20, the small network of ResNet's paper, for 64x64 images: a first look on any machine.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015, section 4.2
(https://arxiv.org/abs/1512.03385). Here it has 0.29 million parameters and takes 10 million multiply-accumulates.

Deviations:
- The stem is a 5x5 convolution with stride 4: the first blocks see 16x16 values, the paper's 32x32. With stride 2 the
  same training takes three and a half times as long on a CPU.
- Shortcuts that change the shape are 1x1 convolutions, not padding with zeros.
- As in `resnet`, the second normalization of each block starts at zero, and dropout may stand before the classifier.
"""

from __future__ import annotations

from torch import nn

from ..architecture import Architecture, architectures
from .resnet import ResNet

WIDTHS = (16, 32, 64)
BLOCKS = 3


def _build(classes: int, dropout: float, drop_path: float) -> nn.Module:
    return ResNet(classes, dropout, drop_path, widths=WIDTHS, depth=BLOCKS, stem=(5, 4))


architectures.add(
    "resnet20",
    Architecture(
        title="ResNet-20",
        paper="https://arxiv.org/abs/1512.03385",
        build=_build,
        dropout=0.0,
        has_drop_path=True,
        recipes={"demo": {"epochs": 6, "lr": 0.1, "resolution": "32:64", "precision": "fp32"}},
    ),
)
