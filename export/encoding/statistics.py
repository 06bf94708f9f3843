"""What a layer's inputs look like: the products of its columns, summed over calibration images."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

MOST_COLUMNS = 12288
"""So many columns have one matrix, of half a gigabyte; more are split evenly, and products between parts left out."""
_AT_ONCE = 1 << 24
"""So many unfolded values are held at a time."""
_ROWS = 16
"""So many input rows a column are enough: a matrix of sums is then known as well as rounding needs it."""
_LEAST_ROWS = 8192


@dataclass(frozen=True)
class Products:
    """Sums of the products of a layer's columns: float32 [groups, columns, columns] of each part of the columns."""

    parts: tuple[Tensor, ...]
    drifts: tuple[Tensor, ...] | None = None
    """Like `parts`, [groups, those of the difference, columns]: how much larger the inputs were before the layers in
    front were rounded, times the inputs as they are now; None: nothing in front was rounded."""
    samples: int = 0
    """How many rows of inputs were summed over."""

    def __add__(self, other: Products) -> Products:
        drifts = None
        if self.drifts is not None and other.drifts is not None:
            drifts = tuple(a + b for a, b in zip(self.drifts, other.drifts, strict=True))
        parts = tuple(a + b for a, b in zip(self.parts, other.parts, strict=True))
        return Products(parts, drifts, self.samples + other.samples)

    @property
    def groups(self) -> int:
        """Of the layer's channels."""
        return len(self.parts[0])

    def squares(self) -> Tensor:
        """[groups, columns]: of each column alone."""
        return torch.cat([part.diagonal(dim1=1, dim2=2) for part in self.parts], 1)

    def times(self, rows: Tensor) -> Tensor:
        """`rows` [outputs, columns], each multiplied with the matrix of its group, part by part."""
        found = [some @ part for some, part in zip(self.split(rows), self.parts, strict=True)]
        return torch.cat(found, 2).reshape(rows.shape)

    def work(self, outputs: int) -> float:
        """How many multiplications `times` takes of as many rows."""
        return float(outputs * sum(part.shape[-1] ** 2 for part in self.parts))

    def split(self, rows: Tensor) -> tuple[Tensor, ...]:
        """`rows` [outputs, columns] as [groups, outputs of a group, columns] of each part."""
        grouped = rows.reshape(self.groups, len(rows) // self.groups, -1)
        return torch.split(grouped, [part.shape[-1] for part in self.parts], 2)

    @classmethod
    def of(cls, rows: Tensor, before: Tensor | None = None) -> Products:
        """Of `rows` [groups, columns, samples], which were `before` when nothing was rounded."""
        size = share(rows.shape[1])
        parts = torch.split(rows, size, 1)
        drifts = None
        if before is not None:
            pairs = zip(parts, torch.split(before, size, 1), strict=True)
            drifts = tuple((old - new) @ new.mT for new, old in pairs)
        return cls(tuple(part @ part.mT for part in parts), drifts, rows.shape[-1])


def share(columns: int) -> int:
    """How many columns a part has, where they are split evenly into as few as can be."""
    return -(-columns // -(-columns // MOST_COLUMNS))


def hessian(kind: str, arguments: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Products | None:
    """The sums of products of the inputs of a `conv`, `linear` or `matmul` whose weight is on the right.

    A column is an input channel of a group at a position of the kernel. Of very many positions a part is taken, the
    same at each run. None for what has no such matrix here: transposed convolutions, three dimensions, products of
    two computed values.

    Args:
        kind: Of the op.
        arguments: Its, by name.
        before: The same where nothing in front of it was rounded; None: nothing was.
    """
    x = arguments["x"]
    if kind == "conv" and x.dim() not in (3, 4):
        return None
    if kind == "matmul" and (arguments["y"].dim() != 2 or arguments.get("transpose_x")):
        return None
    if kind not in ("linear", "matmul", "conv"):
        return None
    now = _patches(arguments) if kind == "conv" else _rows(arguments)
    if before is None or torch.equal(before["x"], x):
        found = [Products.of(rows) for rows in now]
    else:
        then = _patches(before) if kind == "conv" else _rows(before)
        found = [Products.of(rows, old) for rows, old in zip(now, then, strict=True)]
    return functools.reduce(operator.add, found)


def _rows(arguments: Mapping[str, Any]) -> Iterator[Tensor]:
    """[1, columns, samples] of a product."""
    x = arguments["x"]
    yield x.reshape(-1, x.shape[-1]).float().mT[None]


def _patches(arguments: Mapping[str, Any]) -> Iterator[Tensor]:
    """[groups, columns, samples] of a convolution, some samples after the other."""
    x, weight, groups = arguments["x"].float(), arguments["weight"], arguments.get("groups") or 1
    rank = x.dim() - 2
    strides = tuple(arguments.get("strides") or (1,) * rank)
    dilations = tuple(arguments.get("dilations") or (1,) * rank)
    kernel = tuple(weight.shape[2:])
    pads = _pads(arguments, x.shape[2:], kernel, strides, dilations)
    if rank == 1:
        x, kernel, strides, dilations, pads = (
            x[:, :, None], (1, *kernel), (1, *strides), (1, *dilations), (0, 0, *pads),
        )  # fmt: skip
    top, bottom, left, right = pads
    x = functional.pad(x, (left, right, top, bottom))
    columns = weight.shape[1] * weight[0, 0].numel()
    extents = [
        (size - d * (k - 1) - 1) // s + 1 for size, k, s, d in zip(x.shape[2:], kernel, strides, dilations, strict=True)
    ]
    positions = extents[0] * extents[1]
    wanted = max(_ROWS * columns, _LEAST_ROWS)
    seen = min(1.0, wanted / (len(x) * positions))
    generator = torch.Generator().manual_seed(0)
    step = max(1, _AT_ONCE // (columns * groups * positions))
    for begin in range(0, len(x), step):
        part = functional.unfold(x[begin : begin + step], kernel, dilations, 0, strides)
        if seen < 1:
            count = max(1, round(seen * positions))
            part = part[:, :, torch.randperm(positions, generator=generator)[:count].sort().values]
        yield part.reshape(len(part), groups, columns, -1).permute(1, 2, 0, 3).reshape(groups, columns, -1)


def _pads(
    arguments: Mapping[str, Any],
    sizes: torch.Size,
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> tuple[int, ...]:
    """Before and after each axis."""
    kind = str(arguments.get("pad_type", "valid")).lower()
    if kind == "custom" and arguments.get("pad") is not None:
        return tuple(arguments["pad"])
    if not kind.startswith("same"):
        return (0,) * (2 * len(kernel))
    found: list[int] = []
    for size, k, s, d in zip(sizes, kernel, strides, dilations, strict=True):
        needed = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
        before = (needed + 1) // 2 if kind == "same_lower" else needed // 2
        found += [before, needed - before]
    return tuple(found)
