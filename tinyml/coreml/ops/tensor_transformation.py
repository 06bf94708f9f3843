"""Shapes and orders of axes: reshape, transpose, expand, squeeze, reverse."""

from __future__ import annotations

import torch
from torch import Tensor

from tinyml.errors import InputError

from .registry import op


@op("reshape", exact=True)
def reshape(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A 0 inherits the dimension of `x` at its own place; -1 is what remains."""
    if 0 in shape and len(shape) != x.dim():
        raise InputError(
            "reshape: a shape with 0 needs one entry for each dimension of x",
            value=f"{tuple(shape)} for {tuple(x.shape)}",
            hint="from iOS17 on, zeros count from the right",
        )
    return x.reshape([size if size != 0 else x.shape[axis] for axis, size in enumerate(shape)])


@op("reshape", since="iOS17", exact=True)
def reshape_counting_zeros_from_the_right(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A 0 inherits the dimension of `x` that is as far from the right as itself, or is 1 where `x` has none."""
    missing = len(shape) - x.dim()
    inherited = (1,) * missing + tuple(x.shape)[max(0, -missing) :]
    return x.reshape([size if size != 0 else inherited[axis] for axis, size in enumerate(shape)])


@op("reshape_like", since="iOS16", exact=True)
def reshape_like(
    x: Tensor,
    ref_tensors: tuple[Tensor, ...],
    begins: tuple[int, ...],
    ends: tuple[int, ...],
    end_masks: tuple[bool, ...],
) -> Tensor:
    """The new shape joins the parts `ref_tensors[i].shape[begins[i]:ends[i]]`; an end mask leaves the end open."""
    shape: list[int] = []
    for reference, begin, end, to_the_end in zip(ref_tensors, begins, ends, end_masks, strict=True):
        shape += reference.shape[begin:] if to_the_end else reference.shape[begin:end]
    return x.reshape(shape)


@op("transpose", exact=True)
def transpose(x: Tensor, perm: tuple[int, ...]) -> Tensor:
    """Axis i of the result is axis `perm[i]` of `x`."""
    return x.permute(perm)


@op("expand_dims", exact=True)
def expand_dims(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """`axes` are places in the result, negative ones from its end."""
    rank = x.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


@op("squeeze", exact=True)
def squeeze(x: Tensor, axes: tuple[int, ...] | None = None) -> Tensor:
    """Removes the axes of size 1 among `axes`, by default among all; leaves the others as they are."""
    return x.squeeze() if axes is None else x.squeeze(axes)


@op("reverse", exact=True)
def reverse(x: Tensor, axes: tuple[int, ...] | None = None) -> Tensor:
    """The other way round along `axes`, by default along all."""
    return x.flip(tuple(range(x.dim())) if axes is None else axes)


@op("reverse_sequence", exact=True)
def reverse_sequence(x: Tensor, lengths: Tensor, seq_axis: int = 0, batch_axis: int = 0) -> Tensor:
    """Reverses, for each entry i of `batch_axis`, the first `lengths[i]` elements along `seq_axis`."""
    seq_axis, batch_axis = seq_axis % x.dim(), batch_axis % x.dim()
    place_shape, length_shape = [1] * x.dim(), [1] * x.dim()
    place_shape[seq_axis], length_shape[batch_axis] = -1, -1
    place = torch.arange(x.shape[seq_axis], device=x.device).reshape(place_shape)
    length = lengths.to(torch.int64).reshape(length_shape)
    source = torch.where(place < length, length - 1 - place, place)
    return torch.gather(x, seq_axis, source.expand(x.shape))
