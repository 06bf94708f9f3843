"""Tensors made, joined, repeated and padded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tinyml.errors import PackageError

from ..program.limits import check_size
from .context import OpContext
from .registry import op
from .samples import Arguments, Axis, MixedSamplesError, along, broadcast


@op("identity", exact=True, samples=broadcast, transparent=True)
def identity(x: Any) -> Any:
    """`x` itself, be it a tensor or a list."""
    return x


@op("shape")
def shape(x: Tensor) -> Tensor:
    """int32 [rank]."""
    return torch.tensor(x.shape, dtype=torch.int32, device=x.device)


@op("fill", exact=True)
def fill(shape: tuple[int, ...], value: Tensor | None = None) -> Tensor:
    """`value` everywhere, in its type."""
    check_size("fill", shape)
    return (torch.zeros(()) if value is None else value).expand(shape).clone()


@op("fill_like", since="iOS16", exact=True)
def fill_like(ref_tensor: Tensor, value: Tensor | None = None) -> Tensor:
    """The shape of `ref_tensor`, the type of `value`."""
    return (torch.zeros(()) if value is None else value).expand(ref_tensor.shape).clone()


@op("range_1d")
def range_1d(end: float, start: float, step: float, context: OpContext) -> Tensor:
    """start, start + step, ... without `end`; empty where the step leads away from it."""
    dtype = torch.int32 if context.outputs[0].dtype.startswith("int") else torch.float32
    stop = torch.sym_max(start, end) if step > 0 else torch.sym_min(start, end)
    if isinstance(start, (int, float)) and isinstance(stop, (int, float)):
        check_size("range_1d", (int((stop - start) / step),))
    return torch.arange(start, stop, step, dtype=dtype)


@op("one_hot", exact=True)
def one_hot(
    indices: Tensor,
    one_hot_vector_size: int,
    axis: int = -1,
    on_value: Tensor | None = None,
    off_value: Tensor | None = None,
) -> Tensor:
    """A new axis of `one_hot_vector_size`, on at the index and off elsewhere; all off for an index outside."""
    on = torch.ones((), dtype=torch.int32) if on_value is None else on_value
    off = torch.zeros((), dtype=torch.int32) if off_value is None else off_value
    axis %= indices.dim() + 1
    check_size("one_hot", (*indices.shape, one_hot_vector_size))
    places_shape = [1] * (indices.dim() + 1)
    places_shape[axis] = -1
    places = torch.arange(one_hot_vector_size, device=indices.device).reshape(places_shape)
    return torch.where(indices.unsqueeze(axis) == places, on, off)


def _flatten2d_samples(given: Arguments) -> tuple[Axis, ...]:
    if given.only("x") != 0 or given.constants["axis"] != 1:
        raise MixedSamplesError
    return (0,)


@op("flatten2d", exact=True, samples=_flatten2d_samples)
def flatten2d(x: Tensor, axis: int = 1) -> Tensor:
    """A matrix: the axes before `axis`, and those from it on."""
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


def _concat_samples(given: Arguments) -> tuple[Axis, ...]:
    tensors, joined = given.tensors["values"], given.constants["axis"]
    rank = len(tensors[0].shape)
    found = {tensor.axis for tensor in tensors if tensor.axis is not None}
    if len(found) != 1 or not rank or joined % rank in found:
        raise MixedSamplesError
    (axis,) = found
    if any(tensor.shape[axis] != 1 for tensor in tensors):
        raise MixedSamplesError
    same = [n for n, tensor in enumerate(tensors) if tensor.axis is None]
    if same:
        given.replacement = _spreading(given.function, axis, same)
    return (axis,)


def _spreading(function: Callable[..., Tensor], axis: int, same: list[int]) -> Callable[..., Tensor]:
    """`function` of tensors of which those at `same` are the same for all samples and must be repeated first."""

    def spread(values: tuple[Tensor, ...], *rest: object) -> Tensor:
        count = max(value.shape[axis] for value in values)
        sizes = [-1] * values[0].dim()
        sizes[axis] = count
        result: Tensor = function(tuple(v.expand(sizes) if n in same else v for n, v in enumerate(values)), *rest)
        return result

    return spread


@op("concat", exact=True, samples=_concat_samples)
def concat(values: tuple[Tensor, ...], axis: int, interleave: bool = False) -> Tensor:
    """Along `axis`; interleaved, element i of every value comes before element i + 1 of any. Scalars make a vector."""
    check_size("concat", (sum(value.numel() for value in values),))
    if values[0].dim() == 0:
        return torch.stack(values)
    if not interleave:
        return torch.cat(values, dim=axis)
    axis %= values[0].dim()
    return torch.stack(values, dim=axis + 1).flatten(axis, axis + 1)


@op("split", exact=True, samples=along("axis"))
def split(
    x: Tensor, axis: int, num_splits: int | None = None, split_sizes: tuple[int, ...] | None = None
) -> tuple[Tensor, ...]:
    """Parts of `split_sizes` along `axis`, or `num_splits` equal ones."""
    if split_sizes is not None:
        return torch.split(x, list(split_sizes), dim=axis)
    if num_splits is None:
        raise PackageError("split: neither num_splits nor split_sizes is given")
    return torch.split(x, x.shape[axis] // num_splits, dim=axis)


def _stack_samples(given: Arguments) -> tuple[Axis, ...]:
    tensors = given.tensors["values"]
    rank, found = len(tensors[0].shape), {tensor.axis for tensor in tensors}
    if len(found) != 1:
        raise MixedSamplesError
    (axis,) = found
    return (None if axis is None else axis + (given.constants["axis"] % (rank + 1) <= axis),)


@op("stack", exact=True, samples=_stack_samples)
def stack(values: tuple[Tensor, ...], axis: int) -> Tensor:
    """Along a new axis at `axis` of the result."""
    check_size("stack", (sum(value.numel() for value in values),))
    return torch.stack(values, dim=axis)


def _tile_samples(given: Arguments) -> tuple[Axis, ...]:
    axis = given.only("x")
    if given.constants["reps"][axis] != 1:
        raise MixedSamplesError
    return (axis,)


@op("tile", exact=True, samples=_tile_samples)
def tile(x: Tensor, reps: tuple[int, ...]) -> Tensor:
    """`reps[i]` copies along axis i."""
    check_size("tile", [size * count for size, count in zip(x.shape, reps, strict=True)])
    return x.repeat(reps)


def _pad_samples(given: Arguments) -> tuple[Axis, ...]:
    axis, rank = given.only("x"), len(given.shape("x"))
    widths = given.constants["pad"]
    place = axis - (rank - len(widths) // 2)
    if place >= 0 and any(widths[2 * place : 2 * place + 2]):
        raise MixedSamplesError
    return (axis,)


@op("pad", exact=True, samples=_pad_samples)
def pad(x: Tensor, pad: tuple[int, ...], mode: str = "constant", constant_val: float = 0.0) -> Tensor:
    """`pad` is (before, after) for each of the last axes of `x`; reflect leaves the edge out, replicate repeats it."""
    before, after = pad[0::2], pad[1::2]
    padded = [size + b + a for size, b, a in zip(x.shape[x.dim() - len(before) :], before, after, strict=True)]
    check_size("pad", (*x.shape[: x.dim() - len(before)], *padded))
    if mode == "constant":
        return torch.nn.functional.pad(x, _from_the_last(before, after), value=constant_val)
    if mode not in ("reflect", "replicate"):
        raise PackageError("pad: unknown mode", value=mode, allowed="constant, reflect, replicate")
    while len(before) > 1 and before[0] == after[0] == 0:
        before, after = before[1:], after[1:]
    if len(before) > _NATIVE_AXES:
        # Axis by axis: each becomes the last one for its turn.
        for axis, pair in enumerate(zip(before, after, strict=True), start=x.dim() - len(before)):
            x = _extended(x.movedim(axis, -1), pair, mode).movedim(-1, axis)
        return x
    return _extended(x, _from_the_last(before, after), mode)


_NATIVE_AXES = 3
"""So many of the last axes torch reflects or replicates at once."""


def _from_the_last(before: Sequence[int], after: Sequence[int]) -> list[int]:
    """The widths in torch's order."""
    return [width for pair in zip(before[::-1], after[::-1], strict=True) for width in pair]


def _extended(x: Tensor, widths: Sequence[int], mode: str) -> Tensor:
    """Pads the last axes by `widths` (last axis first) from the values of `x`."""
    count = len(widths) // 2
    flat = x.reshape((1, math.prod(x.shape[:-count]), *x.shape[-count:]))
    extended = torch.nn.functional.pad(flat, list(widths), mode=mode)
    return extended.reshape((*x.shape[:-count], *extended.shape[2:]))


@op("band_part", exact=True)
def band_part(x: Tensor, lower: int = -1, upper: int = -1) -> Tensor:
    """Zeros outside the band of `lower` diagonals below and `upper` above the main one; negative: all of them."""
    rows = torch.arange(x.shape[-2], device=x.device)[:, None]
    columns = torch.arange(x.shape[-1], device=x.device)
    kept = torch.ones((x.shape[-2], x.shape[-1]), dtype=torch.bool, device=x.device)
    if lower >= 0:
        kept = kept & (rows - columns <= lower)
    if upper >= 0:
        kept = kept & (columns - rows <= upper)
    return torch.where(kept, x, torch.zeros((), dtype=x.dtype, device=x.device))


@op("cumsum", samples=along("axis"))
def cumsum(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    """Sums along `axis` up to each element, without it if `exclusive`; from the end if `reverse`."""
    if reverse:
        x = x.flip(axis)
    if exclusive:
        x = torch.cat([torch.zeros_like(x.narrow(axis, 0, 1)), x.narrow(axis, 0, x.shape[axis] - 1)], dim=axis)
    total = torch.cumsum(x, dim=axis, dtype=x.dtype)
    return total.flip(axis) if reverse else total


@op("non_zero")
def non_zero(x: Tensor) -> Tensor:
    """int32 [N, rank]: where `x` is not zero, in row-major order."""
    return torch.nonzero(x).to(torch.int32)
