"""Swin Transformer for 64x64 images: a small Swin-T.

Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo: Swin Transformer, 2021 (https://arxiv.org/abs/2103.14030); for 64x64 the depths
of 2, 6, 4 and windows of 4x4 are those of Lee, Lee, Song, 2021 (https://arxiv.org/abs/2112.13492).

Deviations:
- Three stages instead of four: patches of 4x4 give 16x16 tokens, and the third stage sees the last 4x4 as one window.
- Windows of 4x4 tokens instead of 7x7, which would not divide these sides.

Tokens are parted into windows by reshaping and swapping two axes of four, since Core ML knows no more than five.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..architecture import INPUT_SIZE, Architecture, architectures, check_input
from ..deit import as_deit
from ..layers import DropPath, drop_path_rates

PATCH = 4
WIDTH = 96
DEPTHS = (2, 6, 4)
HEADS = (3, 6, 12)
WINDOW = 4
MASKED = -100.0
"""Added to the attention between tokens that lie side by side only because the image was rolled around."""


def windows(x: Tensor) -> Tensor:
    """Tokens [N, side, side, width] to [N * windows, WINDOW * WINDOW, width]."""
    _, side, _, width = x.shape
    rows = x.reshape(-1, WINDOW, side // WINDOW, WINDOW * width).transpose(1, 2)
    return rows.reshape(-1, WINDOW * WINDOW, width)


def joined(x: Tensor, side: int) -> Tensor:
    """What `windows` parted."""
    width = x.shape[-1]
    rows = x.reshape(-1, side // WINDOW, WINDOW, WINDOW * width).transpose(1, 2)
    return rows.reshape(-1, side, side, width)


def rolled(x: Tensor, by: int) -> Tensor:
    """Tokens [N, side, side, width] moved up and left by `by`, around the edges."""
    x = torch.cat([x[:, by:], x[:, :by]], 1)
    return torch.cat([x[:, :, by:], x[:, :, :by]], 2)


def shift_mask(side: int, shift: int) -> Tensor:
    """Float32 [windows, tokens, tokens]: 0 between tokens of a rolled image that were neighbors before, else MASKED."""
    part = torch.zeros(side, dtype=torch.int64)
    part[side - WINDOW : side - shift] = 1
    part[side - shift :] = 2
    parts = windows((3 * part[:, None] + part[None, :])[None, :, :, None].float())[:, :, 0]
    return (parts[:, :, None] != parts[:, None, :]).float() * MASKED


def relative_places() -> Tensor:
    """Int64 [tokens, tokens]: which entry of a table of relative positions stands between two tokens of a window."""
    axis = torch.arange(WINDOW)
    places = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).flatten(1)
    between = places[:, :, None] - places[:, None, :] + WINDOW - 1
    return between[0] * (2 * WINDOW - 1) + between[1]


class WindowAttention(nn.Module):
    """Self-attention among the tokens of each window, by what they are and how they lie to each other."""

    def __init__(self, width: int, heads: int, side: int, shift: int) -> None:
        super().__init__()
        self.heads, self.side, self.shift = heads, side, shift
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.positions = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, heads))
        self.register_buffer("places", relative_places())
        if shift:
            self.register_buffer("mask", shift_mask(side, shift))

    def forward(self, x: Tensor) -> Tensor:
        """[N, side, side, width] to the same shape."""
        if self.shift:
            x = rolled(x, self.shift)
        parted = windows(x)
        tokens, width = parted.shape[1:]
        query, key, value = (
            part.unflatten(2, (self.heads, width // self.heads)).transpose(1, 2)
            for part in self.qkv(parted).chunk(3, dim=2)
        )
        scores = (query * (width // self.heads) ** -0.5) @ key.transpose(2, 3)
        mixed = (self._biased(scores, tokens).softmax(3) @ value).transpose(1, 2).reshape(-1, tokens, width)
        y = joined(self.projection(mixed), self.side)
        return rolled(y, self.side - self.shift) if self.shift else y

    def _biased(self, scores: Tensor, tokens: int) -> Tensor:
        """Scores [N * windows, heads, tokens, tokens] with what the tokens' places add to them."""
        places = self.get_buffer("places")
        bias = self.positions[places.flatten()].reshape(1, tokens, tokens, self.heads).permute(0, 3, 1, 2)
        if not self.shift:
            return scores + bias
        mask = self.get_buffer("mask")
        parted = scores.reshape(-1, len(mask), self.heads, tokens, tokens) + (bias + mask[:, None])
        return parted.reshape(-1, self.heads, tokens, tokens)


class Block(nn.Module):
    """Attention in windows and an MLP, each normalized first and added to its input."""

    def __init__(self, width: int, heads: int, side: int, shift: int, dropout: float, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = WindowAttention(width, heads, side, shift)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(4 * width, width),
            nn.Dropout(dropout),
        )
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """[N, side, side, width] to the same shape."""
        x = x + self.drop_path(self.attention(self.norm1(x)))
        added: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return added


class Merging(nn.Module):
    """Between stages: every 2x2 tokens become one of twice the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[N, side, side, width] to [N, side / 2, side / 2, 2 * width]."""
        _, side, _, width = x.shape
        x = x.reshape(-1, 2, side // 2, 2 * width).transpose(1, 2).reshape(-1, side // 2, side // 2, 4 * width)
        merged: Tensor = self.reduction(self.norm(x))
        return merged


class SwinTransformer(nn.Module):
    """Patches, three stages of window attention, every second block with shifted windows, and a classifier."""

    def __init__(self, classes: int, dropout: float, drop_path: float) -> None:
        super().__init__()
        rates = iter(drop_path_rates(drop_path, sum(DEPTHS)))
        self.patches = nn.Conv2d(3, WIDTH, PATCH, stride=PATCH)
        layers: list[nn.Module] = [nn.LayerNorm(WIDTH)]
        width, side = WIDTH, INPUT_SIZE // PATCH
        for stage, (depth, heads) in enumerate(zip(DEPTHS, HEADS, strict=True)):
            if stage:
                layers.append(Merging(width))
                width, side = 2 * width, side // 2
            for block in range(depth):
                shift = WINDOW // 2 if block % 2 and side > WINDOW else 0
                layers.append(Block(width, heads, side, shift, dropout, next(rates)))
        self.features = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, WindowAttention):
                nn.init.trunc_normal_(module.positions, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 3, 64, 64] to logits [N, classes]."""
        check_input(images)
        tokens = self.features(self.patches(images).permute(0, 2, 3, 1))
        summary = self.norm(tokens.mean((1, 2)))
        logits: Tensor = self.classifier(self.dropout(summary))
        return logits


def _tables() -> Iterator[str]:
    """The names of the tables of relative positions, without the network: torch imports a compiler to build one."""
    first = 1
    for depth in DEPTHS:
        yield from (f"features.{number}.attention.positions" for number in range(first, first + depth))
        first += depth + 1  # `Merging` stands between


architectures.add(
    "swin",
    Architecture(
        title="Swin (64x64)",
        paper="https://arxiv.org/abs/2103.14030",
        build=SwinTransformer,
        dropout=0.0,
        has_drop_path=True,
        smallest=INPUT_SIZE,
        no_decay=tuple(_tables()),
        recipes=as_deit(epochs=150, demo_lr=5e-4),
        quick_optimizer="muon",
    ),
)
