"""EfficientNet-B0 for 64x64 images.

Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019
(https://arxiv.org/abs/1905.11946); the blocks are those of MobileNetV2 (https://arxiv.org/abs/1801.04381) with
squeeze-and-excitation (https://arxiv.org/abs/1709.01507).

Deviations:
- The stem has stride 1 instead of 2: five halvings of a 64x64 image leave 2x2, four leave 4x4. Of all the changes here
  this one gains the most accuracy.
- The head is 1792 channels wide instead of 1280: 4.5M parameters with 200 classes.
- Branches around which there is a shortcut begin faint and gates open, and the classifier begins near 0. From the
  authors' values nothing is learned in the first 75 updates, whatever the optimizer; from these something is after 25.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from ..architecture import Architecture, architectures
from ..depthwise import DepthwiseConv2d
from ..layers import DropPath, conv_bn, drop_path_rates

STEM = 32
HEAD = 1792
STAGES = (
    # expansion, width, blocks, stride, kernel
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)

FAINT = 0.2
"""What a branch with a shortcut is scaled by at first; not 0, so that an untrained network computes with all layers."""
OPEN = 2.0
"""The bias of a gate's logits at first: the gate lets 88% through."""


class SqueezeExcite(nn.Module):
    """Scales each channel by a gate computed from all channels' means."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        squeeze, excite = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Sequential(squeeze, nn.SiLU(inplace=True), excite, nn.Sigmoid())
        for convolution, bias in ((squeeze, 0.0), (excite, OPEN)):
            nn.init.constant_(convolution.get_parameter("bias"), bias)

    def forward(self, x: Tensor) -> Tensor:
        """[N, channels, H, W] to the same shape."""
        scaled: Tensor = x * self.gate(x.mean((2, 3), keepdim=True))
        return scaled


class MBConv(nn.Module):
    """Expand, filter by depth, squeeze and excite, project; around a shortcut where the shape stays."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int, drop_path: float) -> None:
        super().__init__()
        width = inputs * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [*conv_bn(inputs, width, 1), nn.SiLU(inplace=True)]
        layers += [
            DepthwiseConv2d(width, kernel, stride=stride, bias=False),
            nn.BatchNorm2d(width),
            nn.SiLU(inplace=True),
            SqueezeExcite(width, inputs // 4),
            *conv_bn(width, outputs, 1),
        ]
        self.branch = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs
        if self.residual:
            nn.init.constant_(layers[-1].get_parameter("weight"), FAINT)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, H / stride, W / stride]."""
        y: Tensor = self.branch(x)
        return x + self.drop_path(y) if self.residual else y


class EfficientNet(nn.Module):
    """A stem, sixteen inverted residual blocks, a 1x1 head, global average pooling and a classifier."""

    def __init__(self, classes: int, dropout: float, drop_path: float) -> None:
        super().__init__()
        rates = iter(drop_path_rates(drop_path, sum(stage[2] for stage in STAGES)))
        layers: list[nn.Module] = [*conv_bn(3, STEM, 3), nn.SiLU(inplace=True)]
        inputs = STEM
        for expansion, width, blocks, stride, kernel in STAGES:
            for block in range(blocks):
                layers.append(MBConv(inputs, width, expansion, stride if block == 0 else 1, kernel, next(rates)))
                inputs = width
        self.features = nn.Sequential(*layers, *conv_bn(inputs, HEAD, 1), nn.SiLU(inplace=True))
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(HEAD, classes)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels // module.groups
                nn.init.normal_(module.weight, std=math.sqrt(2.0 / fan_out))
        nn.init.normal_(self.classifier.weight, std=1e-3)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 3, H, W] to logits [N, classes]."""
        pooled = self.features(images).mean((2, 3))
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


def _elsewhere() -> dict[str, str]:
    """What torchvision and timm call the layers."""
    before, blocks = 3, sum(stage[2] for stage in STAGES)  # a convolution, a normalization and an activation
    names = {"conv_stem": "features.0", "bn1": "features.1", "features.0.0": "features.0", "features.0.1": "features.1"}
    last = f"features.{len(STAGES) + 1}"
    for convolution, norm in (("conv_head", "bn2"), (f"{last}.0", f"{last}.1")):
        names |= {convolution: f"features.{before + blocks}", norm: f"features.{before + blocks + 1}"}
    names["classifier.1"] = "classifier"
    number = before
    for stage, (expansion, _, count, _, _) in enumerate(STAGES):
        for block in range(count):
            # The branch: expand and normalize, filter and normalize, squeeze and excite, project and normalize.
            filtered = 3 if expansion > 1 else 0
            ours = [f"branch.{filtered + at}" for at in (0, 1, 3, 4, 5)]
            torchvision = ["1.0", "1.1", "2", "3.0", "3.1"] if expansion > 1 else ["0.0", "0.1", "1", "2.0", "2.1"]
            timm = (
                ["conv_dw", "bn2", "se", "conv_pwl", "bn3"]
                if expansion > 1
                else ["conv_dw", "bn1", "se", "conv_pw", "bn2"]
            )
            if expansion > 1:
                ours = ["branch.0", "branch.1", *ours]
                torchvision, timm = ["0.0", "0.1", *torchvision], ["conv_pw", "bn1", *timm]
            for prefix, theirs, gates in (
                (f"features.{stage + 1}.{block}.block", torchvision, ("fc1", "fc2")),
                (f"blocks.{stage}.{block}", timm, ("conv_reduce", "conv_expand")),
            ):
                for other, own in zip(theirs, ours, strict=True):
                    names[f"{prefix}.{other}"] = f"features.{number}.{own}"
                    for gate, at in zip(gates, (0, 2), strict=True):
                        names[f"{prefix}.{other}.{gate}"] = f"features.{number}.{own}.gate.{at}"
            number += 1
    return names


architectures.add(
    "efficientnet",
    Architecture(
        title="EfficientNet-B0",
        paper="https://arxiv.org/abs/1905.11946",
        build=EfficientNet,
        dropout=0.2,
        has_drop_path=True,
        recipes={
            "best": {
                "optimizer": "adamw",
                "lr": 2e-3,
                "weight_decay": 0.02,
                # Without, the loss leaps at this rate where batches are small, in the fourth pass of 64 images each.
                "clip_norm": 1.0,
                "dropout": 0.2,
                "drop_path": 0.1,
                "crop_padding": 4,
                "color_jitter": 0.2,
                "erasing": 0.1,
                # A small network: lighter mixing.
                "mixup_alpha": 0.2,
                "cutmix_alpha": 0.2,
                "mix_probability": 0.5,
            },
            "demo": {"optimizer": "adamw", "lr": 2e-3},
        },
        elsewhere=_elsewhere(),
        quick_optimizer="muon",
    ),
)
