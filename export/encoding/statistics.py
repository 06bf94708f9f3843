"""What a layer's inputs look like: the products of its columns, summed over calibration images."""

from __future__ import annotations

from collections.abc import Mapping
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

    def __add__(self, other: Products) -> Products:
        return Products(tuple(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    @property
    def groups(self) -> int:
        """Of the layer's channels."""
        return len(self.parts[0])

    def squares(self) -> Tensor:
        """[groups, columns]: of each column alone."""
        return torch.cat([part.diagonal(dim1=1, dim2=2) for part in self.parts], 1)

    def times(self, rows: Tensor) -> Tensor:
        """`rows` [outputs, columns], each multiplied with the matrix of its group, part by part."""
        grouped = rows.reshape(self.groups, len(rows) // self.groups, -1)
        sizes = [part.shape[-1] for part in self.parts]
        found = [some @ part for some, part in zip(torch.split(grouped, sizes, 2), self.parts, strict=True)]
        return torch.cat(found, 2).reshape(rows.shape)

    @classmethod
    def of(cls, rows: Tensor) -> Products:
        """Of `rows` [groups, columns, samples]."""
        size = share(rows.shape[1])
        return cls(tuple(part @ part.mT for part in torch.split(rows, size, 1)))


def share(columns: int) -> int:
    """How many columns a part has, where they are split evenly into as few as can be."""
    return -(-columns // -(-columns // MOST_COLUMNS))


def hessian(kind: str, arguments: Mapping[str, Any]) -> Products | None:
    """The sums of products of the inputs of a `conv`, `linear` or `matmul`.

    A column is an input channel of a group at a position of the kernel. Of very many positions a part is taken, the
    same at each run. None for what has no such matrix here: transposed convolutions, three dimensions, products of
    two computed values.
    """
    x = arguments["x"]
    if kind == "linear":
        rows = x.reshape(-1, x.shape[-1])
    elif kind == "matmul":
        if arguments["y"].dim() != 2 or arguments.get("transpose_x"):
            return None
        rows = x.reshape(-1, x.shape[-1])
    elif kind == "conv" and x.dim() in (3, 4):
        return _of_patches(arguments)
    else:
        return None
    return Products.of(rows.float().mT[None])


def _of_patches(arguments: Mapping[str, Any]) -> Products:
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
    total: Products | None = None
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
        rows = part.reshape(len(part), groups, columns, -1).permute(1, 2, 0, 3).reshape(groups, columns, -1)
        found = Products.of(rows)
        total = found if total is None else total + found
    assert total is not None  # noqa: S101 (there is at least one sample)
    return total


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
