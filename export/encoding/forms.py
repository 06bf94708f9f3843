"""What is stored of a weight instead of its values: integers, indices into palettes, a mask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, kw_only=True)
class Integers:
    """`scale * (levels - offset)`."""

    levels: NDArray[np.integer]
    """int8 or uint8, in the weight's shape."""
    bits: int
    scale: Values
    """Of the weight's rank: each serves an equal block along each axis."""
    offset: NDArray[np.integer] | None
    """Like `scale`; None: 0."""

    @property
    def dtype(self) -> str:
        """As Core ML calls it."""
        return f"{'u' if self.offset is not None else ''}int{self.bits}"

    def decoded(self) -> Values:
        """The values, in the weight's shape."""
        levels = self.levels.astype(np.float32)
        if self.offset is not None:
            levels = levels - spread(self.offset.astype(np.float32), levels.shape)
        found: Values = levels * spread(self.scale, levels.shape)
        return found


@dataclass(frozen=True, kw_only=True)
class Indices:
    """`palettes[group][index]`."""

    indices: NDArray[np.uint8]
    """In the weight's shape."""
    bits: int
    palettes: Values
    """[*groups, 2^bits]: of the weight's rank and one more; each serves an equal block along each axis."""
    output_scale: Values | None = None
    """[output channels]: what the reading op's output is multiplied with; None: nothing."""

    @property
    def dtype(self) -> str:
        """As Core ML calls it."""
        return f"uint{self.bits}"

    def decoded(self) -> Values:
        """The values as they are stored, before any `output_scale`."""
        groups, entries = self.palettes.shape[:-1], self.palettes.shape[-1]
        numbers = np.arange(int(np.prod(groups))).reshape(groups)
        flat = spread(numbers, self.indices.shape) * entries + self.indices
        found: Values = self.palettes.reshape(-1)[flat]
        return found


@dataclass(frozen=True, kw_only=True)
class Sparse:
    """Zero where `kept` is false; elsewhere as `inner` says, or plainly."""

    kept: NDArray[np.bool_]
    inner: Integers | Indices | None
    values: Values
    """What is stored where `inner` is None."""

    def decoded(self) -> Values:
        """The values, in the weight's shape."""
        values = self.values if self.inner is None else self.inner.decoded()
        return np.where(self.kept, values, np.float32(0))


Form = Integers | Indices | Sparse


def rescaled(form: Form, factors: Values, axis: int, *, half: bool) -> Form | None:
    """`form` with each output channel multiplied; None where channels share what would have to be.

    Args:
        form: Of a weight.
        factors: [output channels].
        axis: Of the output channels.
        half: Whether what is stored is of float16.
    """

    def times(values: Values, along: int) -> Values:
        shape = [1] * values.ndim
        shape[along] = -1
        found = values * factors.reshape(shape)
        return found.astype(np.float16).astype(np.float32) if half else found

    if isinstance(form, Sparse):
        if form.inner is None:
            return replace(form, values=times(form.values, axis))
        inner = rescaled(form.inner, factors, axis, half=half)
        return None if inner is None or isinstance(inner, Sparse) else replace(form, inner=inner)
    if isinstance(form, Integers):
        return replace(form, scale=times(form.scale, axis)) if form.scale.shape[axis] == len(factors) else None
    if form.output_scale is not None:
        return replace(form, output_scale=times(form.output_scale, 0))
    if form.palettes.shape[axis] == len(factors):
        return replace(form, palettes=times(form.palettes, axis))
    return None


def spread(blocks: NDArray[T], shape: tuple[int, ...]) -> NDArray[T]:
    """`blocks` repeated along each axis to `shape`, each entry over an equal share; raises ValueError elsewhere."""
    for axis, (have, size) in enumerate(zip(blocks.shape, shape, strict=True)):
        if size % have:
            raise ValueError(f"{have} blocks do not divide {size}")
        if have not in (1, size):
            blocks = blocks.repeat(size // have, axis=axis)
    return np.broadcast_to(blocks, shape)
