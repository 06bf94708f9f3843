"""The weights of a converted model, and how each lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

MIN_ELEMENTS = 10
"""Fewer make no weight: coremltools keeps such constants in the program itself, where none can be compressed."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """One step of how a weight is stored, as found in a file or as a kind of compression demands it."""

    method: str
    """The kind's name in the schema: "linear", "palette", "prune"."""
    dtype: str
    """Of what is stored an element: "int8", "int4"; of a palette's indices ("uint3"); of a sparse weight's mask."""
    groups: tuple[int, ...] = ()
    """How many scales or palettes there are along each axis of the weight; empty for a sparse one."""
    zeros: float = 0.0
    """Of a sparse weight: the share of zeros; demanded: at least that much."""
    behind: int = 0
    """So many values lie behind the op, to scale its output channels with."""
    pattern: tuple[int, int] | None = None
    """Demanded of a sparse weight: so many zeros of so many neighboring input channels."""
    mask: NDArray[np.bool_] | None = field(default=None, compare=False)
    """Found in a sparse weight: where it is not zero, in the weight's shape."""


@dataclass(frozen=True, kw_only=True)
class Weight:
    """One stored array that is no vector: what the convolutions and matrix products multiply with, and tables."""

    layer: str
    """The module of the network that it belongs to, where that is known; else that of the op."""
    op_name: str
    """The op that reads it, by the name of its output."""
    stored_name: str
    """What is stored, by the name of the constant or of the op that unpacks it."""
    op: str
    """The reading op's kind, as the format calls it."""
    shape: tuple[int, ...]
    dtype: str
    """Of its values, unpacked: "fp32", "fp16"."""
    output_axis: int
    input_axis: int
    parameter: str = "weight"
    """The input of that op that it is; a matrix product may have it on either side, as "x" or as "y"."""
    multiplied: bool = True
    """Whether a convolution or a matrix product reads it; else it is a table."""
    encodings: tuple[Encoding, ...] = ()
    """How it is stored, from the first compression to the last; empty: plainly."""

    @property
    def size(self) -> int:
        """How many elements it has."""
        return int(np.prod(self.shape))


def is_weight(shape: Sequence[int], *, multiplied: bool) -> bool:
    """Whether a constant of this shape counts as a weight.

    Args:
        shape: Its shape.
        multiplied: Whether a convolution or a matrix product reads it; of other constants those that are vectors but
            for axes of length 1 (a scale that broadcasts, a class token) are left out with the vectors.
    """
    if len(shape) < 2 or np.prod(shape) < MIN_ELEMENTS:
        return False
    return multiplied or sum(length > 1 for length in shape) > 1


def values_behind(op: str, channels: int) -> int:
    """How many values scale the output of `op`: a batch normalization's four vectors, or a factor and a bias."""
    return (4 if op == "conv" else 2) * channels


def fitting(size: int, wanted: int) -> int:
    """The block or group for an axis of `size`: the largest divisor of it from `wanted` down to above half of that.

    Where there is none the whole axis is one block. Converters leave a layer that the block does not divide as it was,
    without a word; this way none is left, and the difference in size is small.
    """
    return next((block for block in range(min(wanted, size), wanted // 2, -1) if size % block == 0), size)


def with_layers(weights: Sequence[Weight], layers: Sequence[str]) -> tuple[Weight, ...]:
    """`weights` with the names of their layers.

    A converter folds and renames, but keeps the order of convolutions and matrix products; so the names go by that.

    Args:
        weights: In the order of the program.
        layers: The layers in the order of the network, one for each weight that is multiplied; where the numbers
            differ (a weight used twice, a layer that the converter split) the ops' names stay.
    """
    if sum(weight.multiplied for weight in weights) != len(layers):
        return tuple(weights)
    names = iter(layers)
    return tuple(replace(weight, layer=next(names)) if weight.multiplied else weight for weight in weights)
