"""The values that a stored weight can have: equal steps, or palettes; and which of them is the nearest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..weights import Weight
from .cells import blocks_restored, restored
from .forms import Form, Indices, Integers
from .kmeans import centers

_CLIPS = tuple(1 - 0.03 * step for step in range(24))
"""The shares of the whole range that are tried where it may be clipped."""
_FEW_BITS = 4
"""Up to so many, each level is tried as that of the largest weight."""
_TURNS = 8
"""Steps by which palettes and scales are fitted to the outputs, or to the weights."""


Times = Callable[[Tensor], Tensor]


class Grid(ABC):
    """For each cell of a weight [outputs, inputs, positions] the values that it can be stored as."""

    bits: int
    """Of what is stored for a cell."""

    @abstractmethod
    def nearest(self, column: Tensor, place: int) -> Tensor:
        """The nearest value for each of `column` [outputs], the cells at `place` (inputs x positions, flattened)."""

    @abstractmethod
    def form(self, cells: Tensor, weight: Weight) -> Form:
        """Cells, each rounded to the nearest value, as they are stored."""

    @abstractmethod
    def rounded(self, cells: Tensor) -> Tensor:
        """`cells` [outputs, inputs, positions], each rounded to the nearest value."""

    @abstractmethod
    def to(self, device: torch.device) -> Grid:
        """The same grid for cells on `device`."""

    @abstractmethod
    def followed(self, cells: Tensor, *, half: bool, kept: Tensor | None = None) -> Grid:
        """This grid, its values moved after `cells`: each to the middle of those that it stands for, in turns.

        Of weights that move a little it is moved a little, where a grid found anew may be quite another.

        Args:
            cells: [outputs, inputs, positions].
            half: Whether what is stored is of float16.
            kept: Like them: which are stored at all; None: all.
        """

    @abstractmethod
    def refitted(self, found: Tensor, cells: Tensor, times: Times, *, half: bool) -> tuple[Grid, Tensor]:
        """This grid with other values behind the same levels, by which the layer's outputs change less.

        Args:
            found: Cells, each one of the grid's values, or 0 where nothing is stored.
            cells: What they shall stand for.
            times: Multiplies rows [outputs, columns] with the products of the layer's inputs.
            half: Whether what is stored is of float16.

        Returns:
            The grid, and `found` with its values.
        """


class Steps(Grid):
    """Equal steps: `scale * (level - offset)`.

    Args:
        scale: [output blocks, input blocks]; may be below 0.
        offset: Like it; None: 0.
        low: The smallest level.
        high: The largest.
        bits: Of a level.
        shape: Of the cells.
    """

    def __init__(
        self, scale: Tensor, offset: Tensor | None, low: int, high: int, bits: int, shape: tuple[int, ...]
    ) -> None:
        self.scale, self.offset, self.low, self.high, self.bits = scale, offset, low, high, bits
        self._shape, self._inputs, self._positions = shape, shape[1], shape[2]
        self._safe = torch.where(scale == 0, torch.ones_like(scale), scale)

    def nearest(self, column: Tensor, place: int) -> Tensor:
        """By rounding to even, as both converters do."""
        block = place // self._positions * self.scale.shape[1] // self._inputs
        scale = self.scale[:, block]
        offset = 0 if self.offset is None else self.offset[:, block]
        levels = (column / self._safe[:, block] + offset).round_().clamp_(self.low, self.high)
        return (levels - offset) * scale

    def rounded(self, cells: Tensor) -> Tensor:
        """As `nearest`, all at once."""
        scale, safe = self._spread(self.scale, cells), self._spread(self._safe, cells)
        offset = 0 if self.offset is None else self._spread(self.offset, cells)
        return ((cells / safe + offset).round_().clamp_(self.low, self.high) - offset) * scale

    def refitted(self, found: Tensor, cells: Tensor, times: Times, *, half: bool) -> tuple[Grid, Tensor]:
        """By least squares over the factors of all scales: at once where each has an output channel alone."""
        levels = (found / self._spread(self._safe, cells)).round()
        rows, wanted = (levels * self._spread(self.scale, cells)).flatten(1), cells.flatten(1)
        if self.scale.shape == (len(cells), 1):
            pulled = times(rows)
            square = (pulled * rows).sum(1)
            factors = torch.where(square > 0, (pulled * wanted).sum(1) / square.clamp(min=1e-30), torch.ones(()))
        else:
            numbers = torch.arange(self.scale.numel()).reshape(self.scale.shape)
            places = self._spread(numbers, cells).expand(cells.shape).reshape(-1)
            factors = _fitted(torch.ones(self.scale.numel()), places, rows, wanted, times)
        scale = self.scale * factors.reshape(self.scale.shape).clamp(0.5, 2)
        grid = Steps(scale.half().float() if half else scale, self.offset, self.low, self.high, self.bits, self._shape)
        return grid, levels * grid._spread(grid.scale, cells)

    def to(self, device: torch.device) -> Grid:
        """See Grid."""
        offset = None if self.offset is None else self.offset.to(device)
        return Steps(self.scale.to(device), offset, self.low, self.high, self.bits, self._shape)

    def form(self, cells: Tensor, weight: Weight) -> Form:
        """Integers; of 2 bits, which Core ML has none of, indices into palettes of equal steps."""
        scale, offset = (
            self._spread(self._safe, cells),
            None if self.offset is None else self._spread(self.offset, cells),
        )
        levels = (cells / scale + (0 if offset is None else offset)).round().clamp(self.low, self.high)
        if self.bits < 4:
            steps = torch.arange(self.low, self.high + 1, dtype=torch.float32)
            palettes = self.scale[..., None] * (steps - (0 if self.offset is None else self.offset[..., None]))
            return Indices(
                indices=restored(levels - self.low, weight).astype(np.uint8),
                bits=self.bits,
                palettes=blocks_restored(palettes, weight),
            )
        kind = np.int8 if self.offset is None else np.uint8
        return Integers(
            levels=restored(levels, weight).astype(kind),
            bits=self.bits,
            scale=blocks_restored(self.scale, weight),
            offset=None if self.offset is None else blocks_restored(self.offset, weight).astype(kind),
        )

    def followed(self, cells: Tensor, *, half: bool, kept: Tensor | None = None) -> Steps:
        """By least squares over each length, the levels as before; see Grid."""
        grid = self
        shown = cells if kept is None else cells * kept
        offset = 0 if self.offset is None else self._spread(self.offset, cells)
        for _ in range(_TURNS):
            levels = (shown / grid._spread(grid._safe, cells) + offset).round_().clamp_(self.low, self.high) - offset
            square, product = self._summed(levels**2), self._summed(levels * shown)
            scale = torch.where(square > 0, product / square.clamp(min=1e-30), grid.scale)
            grid = Steps(
                scale.half().float() if half else scale, self.offset, self.low, self.high, self.bits, self._shape
            )
        return grid

    def _summed(self, cells: Tensor) -> Tensor:
        """Over the cells of each scale."""
        outputs, inputs = self.scale.shape
        return cells.reshape(outputs, len(cells) // outputs, inputs, -1).sum((1, 3))

    def _spread(self, blocks: Tensor, cells: Tensor) -> Tensor:
        outputs, inputs = cells.shape[0] // blocks.shape[0], cells.shape[1] // blocks.shape[1]
        return blocks.repeat_interleave(outputs, 0).repeat_interleave(inputs, 1)[..., None]


def _fitted(begin: Tensor, places: Tensor, rows: Tensor, wanted: Tensor, times: Times) -> Tensor:
    """The values with which `rows` become nearest to `wanted`, by a few steps of conjugate gradients.

    Args:
        begin: The values before.
        places: Which of them each cell of `rows`, flattened, is multiplied with.
        rows: [outputs, columns].
        wanted: Like them.
        times: As for `Grid.refitted`.
    """

    def spread(values: Tensor) -> Tensor:
        return values[places].reshape(rows.shape) * rows

    def gathered(some: Tensor) -> Tensor:
        return torch.zeros(len(begin)).index_add_(0, places, (some * rows).reshape(-1))

    values = begin.clone()
    rest = gathered(times(wanted - spread(values)))
    step, size = rest.clone(), rest @ rest
    for _ in range(min(_TURNS, len(values))):
        along = step @ (pulled := gathered(times(spread(step))))
        if size <= 0 or along <= 0:
            break
        values += size / along * step
        rest -= size / along * pulled
        before, size = size, rest @ rest
        step = rest + size / before * step
    return values


def steps(
    cells: Tensor,
    bits: int,
    *,
    symmetric: bool,
    blocks: tuple[int, int],
    half: bool,
    importance: Tensor | None = None,
) -> Steps:
    """The grid of equal steps for `cells`.

    Args:
        cells: [outputs, inputs, positions].
        bits: Of a level.
        symmetric: Whether 0 is the middle level, and there is no offset.
        blocks: How many scales there are along outputs and inputs.
        half: Whether a scale must be a float16.
        importance: [inputs, positions]: how much an error counts there. Given, the range is clipped where that makes
            the weighted square error smaller; None: the largest weight decides the range. It may lie on any of few
            levels, so that weights that are of equal steps already stay as they are.
    """
    outputs, inputs, positions = cells.shape
    grouped = cells.reshape(blocks[0], outputs // blocks[0], blocks[1], inputs // blocks[1], positions)
    flat = grouped.permute(0, 2, 1, 3, 4).reshape(*blocks, -1)
    weights = None
    if importance is not None:
        spread = importance.expand(outputs, inputs, positions).reshape(grouped.shape)
        weights = spread.permute(0, 2, 1, 3, 4).reshape(flat.shape)
    if symmetric:
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        if bits > 2:
            low = -high
        top, bottom, most = flat.abs().amax(-1), None, float(high) if bits > 2 else 1.5
    else:
        low, high = 0, 2**bits - 1
        top, bottom, most = flat.amax(-1).clamp(min=0), flat.amin(-1).clamp(max=0), float(high)
    best: tuple[Tensor, Tensor | None] | None = None
    least = torch.full(blocks, torch.inf)
    shares = {1.0} if weights is None else {*_CLIPS}
    if bits <= _FEW_BITS:
        shares |= {most / level for level in range(1, max(high, -low) + 1)}
    signs = (1, -1) if symmetric and bits == 2 else (1,)  # of these levels, one more lies below 0 than above
    for share in (sign * share for share in sorted(shares) for sign in signs):
        if bottom is None:
            scale, offset = share * top / most, None
        else:
            scale = share * (top - bottom) / most
            safe = torch.where(scale == 0, torch.ones_like(scale), scale)
            offset = (-min(share, 1.0) * bottom / safe).round().clamp(low, high)
        if half:
            scale = scale.half().float()
        if shares == {1.0}:
            return Steps(scale, offset, low, high, bits, tuple(cells.shape))
        safe = torch.where(scale == 0, torch.ones_like(scale), scale)[..., None]
        shift = 0 if offset is None else offset[..., None]
        error = (((flat / safe + shift).round().clamp(low, high) - shift) * safe - flat) ** 2
        error = (error if weights is None else error * weights).sum(-1)
        if best is None:
            best = (scale, offset)
        else:
            smaller = error < least
            best = (
                torch.where(smaller, scale, best[0]),
                None if offset is None or best[1] is None else torch.where(smaller, offset, best[1]),
            )
        least = torch.minimum(least, error)
    assert best is not None  # noqa: S101
    return Steps(*best, low, high, bits, tuple(cells.shape))


class Palettes(Grid):
    """Any 2^bits values a block of output channels.

    Args:
        entries: [blocks, 2^bits], ascending.
        outputs: How many output channels the weight has.
        bits: Of an index.
    """

    def __init__(self, entries: Tensor, outputs: int, bits: int) -> None:
        self.entries, self.bits = entries.contiguous(), bits
        self._share = outputs // len(entries)
        self._edges = ((entries[:, 1:] + entries[:, :-1]) / 2).contiguous()

    def indices(self, columns: Tensor) -> Tensor:
        """Of the nearest entries for `columns` [outputs, ...]."""
        return torch.searchsorted(self._edges, columns.reshape(len(self.entries), -1).contiguous()).reshape(
            columns.shape
        )

    def nearest(self, column: Tensor, place: int) -> Tensor:  # noqa: ARG002
        """The nearest entry."""
        return self.rounded(column)

    def rounded(self, cells: Tensor) -> Tensor:
        """The nearest entries."""
        found = self.indices(cells).reshape(len(self.entries), -1)
        return self.entries.gather(1, found).reshape(cells.shape)

    def refitted(self, found: Tensor, cells: Tensor, times: Times, *, half: bool) -> tuple[Grid, Tensor]:
        """By least squares over the entries of all palettes, in a few steps of conjugate gradients."""
        blocks, entries = self.entries.shape
        owners = torch.arange(len(cells)) // self._share
        places = (self.indices(found).flatten(1) + entries * owners[:, None]).reshape(-1)
        stored = (found.flatten(1) != 0).float()

        values = _fitted(self.entries.reshape(-1), places, stored, cells.flatten(1), times)
        fitted = values.half().float() if half else values
        grid = Palettes(fitted.reshape(blocks, entries).sort(1).values, len(cells), self.bits)
        return grid, (fitted[places].reshape(stored.shape) * stored).reshape(cells.shape)

    def followed(self, cells: Tensor, *, half: bool, kept: Tensor | None = None) -> Palettes:
        """By the means of what each entry stands for; see Grid."""
        blocks, entries = self.entries.shape
        grid, values = self, cells.reshape(-1)
        stored = torch.ones_like(values) if kept is None else kept.reshape(-1).to(values.dtype)
        first = torch.arange(blocks, device=cells.device).repeat_interleave(cells[0].numel() * self._share) * entries
        for _ in range(_TURNS):
            places = grid.indices(cells).reshape(-1) + first
            counts = torch.zeros(self.entries.numel(), device=cells.device).index_add_(0, places, stored)
            sums = torch.zeros_like(counts).index_add_(0, places, values * stored)
            means = torch.where(counts > 0, sums / counts.clamp(min=1), grid.entries.reshape(-1))
            moved = (means.half().float() if half else means).reshape(blocks, entries)
            grid = Palettes(moved.sort(1).values, len(cells), self.bits)
        return grid

    def to(self, device: torch.device) -> Grid:
        """See Grid."""
        return Palettes(self.entries.to(device), self._share * len(self.entries), self.bits)

    def form(self, cells: Tensor, weight: Weight) -> Form:
        """Indices."""
        return Indices(
            indices=restored(self.indices(cells), weight).astype(np.uint8),
            bits=self.bits,
            palettes=blocks_restored(self.entries[:, None], weight),
        )


def palettes(
    cells: Tensor,
    bits: int,
    *,
    blocks: int,
    half: bool,
    importance: Tensor | None = None,
    kept: Tensor | None = None,
) -> Palettes:
    """The palettes that k-means finds for `cells`.

    Args:
        cells: [outputs, inputs, positions].
        bits: Of an index.
        blocks: How many palettes there are along the outputs.
        half: Whether an entry must be a float16.
        importance: [inputs, positions]: how much an error counts there; None: everywhere alike.
        kept: Like `cells`: which of them are stored at all; None: all.
    """
    parts = cells.reshape(blocks, -1)
    weights = None if importance is None else importance.expand(cells.shape).reshape(blocks, -1)
    chosen = None if kept is None else kept.reshape(blocks, -1)
    found = []
    for block in range(blocks):
        where = slice(None) if chosen is None or not chosen[block].any() else chosen[block]
        part = parts[block][where].numpy()
        found.append(centers(part, 2**bits, None if weights is None else weights[block][where].numpy()))
    entries = torch.from_numpy(np.stack(found))
    return Palettes(entries.half().float() if half else entries, len(cells), bits)
