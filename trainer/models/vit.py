"""ViT-S for 64x64 images.

Dosovitskiy et al.: An Image is Worth 16x16 Words, 2020 (https://arxiv.org/abs/2010.11929); the size S (width 384, 12
layers, 6 heads) is that of Touvron et al., 2020 (https://arxiv.org/abs/2012.12877).

Deviations:
- Patches of 8x8 instead of 16x16: 64 tokens of a 64x64 image rather than 16.
- They are embedded by three 3x3 convolutions with stride 2, normalized and rectified between, instead of one linear map
  (Xiao et al., 2021, https://arxiv.org/abs/2106.14881): far steadier to train from scratch on little data.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..architecture import INPUT_SIZE, Architecture, architectures, check_input
from ..deit import as_deit
from ..layers import DropPath, at_side, conv_bn, drop_path_rates

WIDTH = 384
LAYERS = 12
HEADS = 6
MLP = 4 * WIDTH
STEM = (3, 32, 64)
SIDE = INPUT_SIZE // 8


class Attention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.projection = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """[N, tokens, WIDTH] to the same shape."""
        heads = [part.unflatten(2, (HEADS, WIDTH // HEADS)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=2)]
        mixed = functional.scaled_dot_product_attention(*heads)
        projected: Tensor = self.projection(mixed.transpose(1, 2).flatten(2))
        return projected


class Block(nn.Module):
    """Attention and an MLP, each normalized first and added to its input."""

    def __init__(self, dropout: float, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, MLP), nn.GELU(), nn.Dropout(dropout), nn.Linear(MLP, WIDTH), nn.Dropout(dropout)
        )
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """[N, tokens, WIDTH] to the same shape."""
        x = x + self.drop_path(self.attention(self.norm1(x)))
        mixed: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return mixed


class VisionTransformer(nn.Module):
    """A convolutional patch embedding, twelve blocks over 64 tokens and a class token, and a classifier."""

    def __init__(self, classes: int, dropout: float, drop_path: float) -> None:
        super().__init__()
        stem: list[nn.Module] = []
        for inputs, outputs in pairwise(STEM):
            stem += [*conv_bn(inputs, outputs, 3, stride=2), nn.ReLU(inplace=True)]
        self.stem = nn.Sequential(*stem, nn.Conv2d(STEM[-1], WIDTH, 3, stride=2, padding=1))
        self.class_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.zeros(1, SIDE * SIDE + 1, WIDTH))
        self.blocks = nn.Sequential(*(Block(dropout, rate) for rate in drop_path_rates(drop_path, LAYERS)))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(WIDTH, classes)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.class_token, std=0.02)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 3, 64, 64], in training smaller ones as well, to logits [N, classes]."""
        check_input(images, smaller=self.training)
        patches = self.stem(images)
        tokens = patches.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(tokens.shape[0], -1, -1), tokens], 1)
        tokens = tokens + self._positions(patches.shape[-1])
        summary = self.norm(self.blocks(tokens))[:, 0]
        logits: Tensor = self.classifier(self.dropout(summary))
        return logits

    def _positions(self, side: int) -> Tensor:
        """[1, side * side + 1, WIDTH]: those of a smaller image lie between those of a whole one."""
        if side == SIDE:
            return self.positions
        places = self.positions[:, 1:].transpose(1, 2).reshape(1, WIDTH, SIDE, SIDE)
        return torch.cat([self.positions[:, :1], at_side(places, side).flatten(2).transpose(1, 2)], 1)


def _elsewhere() -> dict[str, str]:
    """What timm calls the layers."""
    names = {"cls_token": "class_token", "pos_embed": "positions", "head": "classifier"}
    inside = {"attn.qkv": "attention.qkv", "attn.proj": "attention.projection", "mlp.fc1": "mlp.0", "mlp.fc2": "mlp.3"}
    for block in range(LAYERS):
        names |= {f"blocks.{block}.{other}": f"blocks.{block}.{own}" for other, own in inside.items()}
    return names


architectures.add(
    "vit",
    Architecture(
        title="ViT-S/8",
        paper="https://arxiv.org/abs/2010.11929",
        build=VisionTransformer,
        dropout=0.0,
        has_drop_path=True,
        no_decay=("class_token", "positions"),
        recipes=as_deit(epochs=200, demo_lr=5e-4),
        quick_optimizer="muon",
        elsewhere=_elsewhere(),
    ),
)
