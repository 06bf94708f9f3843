"""ResNet-18 for 64x64 images.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015 (https://arxiv.org/abs/1512.03385).

Deviations:
- The stem is a 3x3 convolution with stride 1 and no max-pool follows: the original's stem leaves 16x16 of a 64x64
  image before the first block, this one leaves all of it, and the last stage still sees 8x8.
- Dropout before the classifier: half a thousand images a class overfit without it.
- The second normalization of each block starts at zero (Goyal et al., 2017, https://arxiv.org/abs/1706.02677), so every
  block starts as the identity.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ..architecture import Architecture, architectures
from ..layers import DropPath, conv_bn, drop_path_rates, init_relu_network

WIDTHS = (64, 128, 256, 512)
BLOCKS = 2


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int, drop_path: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *conv_bn(inputs, outputs, 3, stride=stride), nn.ReLU(inplace=True), *conv_bn(outputs, outputs, 3)
        )
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(*conv_bn(inputs, outputs, 1, stride=stride))
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] to [N, outputs, H / stride, W / stride]."""
        return functional.relu(self.drop_path(self.branch(x)) + self.shortcut(x))


class ResNet(nn.Module):
    """A stem, stages of blocks, global average pooling and a classifier.

    `widths` are the channels of the stages, each of `depth` blocks; every stage but the first halves the image. `stem`
    is the kernel and the stride of the first convolution.
    """

    def __init__(
        self,
        classes: int,
        dropout: float,
        drop_path: float,
        *,
        widths: tuple[int, ...] = WIDTHS,
        depth: int = BLOCKS,
        stem: tuple[int, int] = (3, 1),
    ) -> None:
        super().__init__()
        inputs = widths[0]
        kernel, stride = stem
        self.stem = nn.Sequential(*conv_bn(3, inputs, kernel, stride=stride), nn.ReLU(inplace=True))
        rates = iter(drop_path_rates(drop_path, depth * len(widths)))
        blocks: list[nn.Module] = []
        for stage, width in enumerate(widths):
            for block in range(depth):
                blocks.append(BasicBlock(inputs, width, 2 if stage and block == 0 else 1, next(rates)))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(inputs, classes)
        init_relu_network(self)
        for module in self.modules():
            if isinstance(module, BasicBlock):
                last = module.branch[-1]
                assert isinstance(last, nn.BatchNorm2d)  # noqa: S101 (for the type checker)
                nn.init.zeros_(last.weight)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 3, H, W] to logits [N, classes]."""
        pooled = self.blocks(self.stem(images)).mean((2, 3))
        logits: Tensor = self.classifier(self.dropout(pooled))
        return logits


def _elsewhere() -> dict[str, str]:
    """What torchvision and timm call the layers."""
    names = {"conv1": "stem.0", "bn1": "stem.1", "fc": "classifier"}
    inside = {
        "conv1": "branch.0", "bn1": "branch.1", "conv2": "branch.3", "bn2": "branch.4",
        "downsample.0": "shortcut.0", "downsample.1": "shortcut.1",
    }  # fmt: skip
    for stage in range(len(WIDTHS)):
        for block in range(BLOCKS):
            theirs, ours = f"layer{stage + 1}.{block}", f"blocks.{stage * BLOCKS + block}"
            names |= {f"{theirs}.{other}": f"{ours}.{own}" for other, own in inside.items()}
    return names


RESNET18 = Architecture(
    title="ResNet-18",
    paper="https://arxiv.org/abs/1512.03385",
    build=ResNet,
    dropout=0.2,
    has_drop_path=True,
    recipes={"best": {"epochs": 120}},
    quick_optimizer="muon",
    elsewhere=_elsewhere(),
)

architectures.add("resnet", RESNET18)
