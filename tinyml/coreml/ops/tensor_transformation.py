"""Shapes and orders of axes: reshape, transpose, expand, squeeze, reverse."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tinyml.errors import InputError

from .registry import op
from .samples import Arguments, Axis, MixedSamplesError, along, without


def _reshape_samples(given: Arguments) -> tuple[Axis, ...]:
    """The samples stay where as many elements lie before them as in x, in a dimension of size 1."""
    axis, shape = given.only("x"), given.shape("x")
    target = given.results[0]
    before = math.prod(shape[:axis])
    for place, size in enumerate(target):
        if size == 1 and 0 not in target and math.prod(target[:place]) == before:
            given.changes["shape"] = (*target[:place], -1, *target[place + 1 :])
            return (place,)
    raise MixedSamplesError


@op("reshape", exact=True, samples=_reshape_samples, transparent=True)
def reshape(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A 0 inherits the dimension of `x` at its own place; -1 is what remains."""
    if any(_keeps(size) for size in shape) and len(shape) != x.dim():
        raise InputError(
            "reshape: a shape with 0 needs one entry for each dimension of x",
            value=f"{tuple(shape)} for {tuple(x.shape)}",
            hint="from iOS17 on, zeros count from the right",
        )
    return x.reshape([x.shape[axis] if _keeps(size) else size for axis, size in enumerate(shape)])


def _keeps(size: int) -> bool:
    """Whether a size of a shape says to keep that of `x`; a symbol of a trace never does."""
    return type(size) is int and size == 0


@op("reshape", since="iOS17", exact=True, samples=_reshape_samples, transparent=True)
def reshape_counting_zeros_from_the_right(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A 0 inherits the dimension of `x` that is as far from the right as itself, or is 1 where `x` has none."""
    missing = len(shape) - x.dim()
    inherited = (1,) * missing + tuple(x.shape)[max(0, -missing) :]
    return x.reshape([inherited[axis] if _keeps(size) else size for axis, size in enumerate(shape)])


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


def _transpose_samples(given: Arguments) -> tuple[Axis, ...]:
    axis, rank = given.only("x"), len(given.shape("x"))
    return ([each % rank for each in given.constants["perm"]].index(axis),)


@op("transpose", exact=True, samples=_transpose_samples)
def transpose(x: Tensor, perm: tuple[int, ...]) -> Tensor:
    """Axis i of the result is axis `perm[i]` of `x`."""
    return x.permute(perm)


def _expand_dims_samples(given: Arguments) -> tuple[Axis, ...]:
    axis = given.only("x")
    rank = len(given.shape("x")) + len(given.constants["axes"])
    new = {each % rank for each in given.constants["axes"]}
    return ([place for place in range(rank) if place not in new][axis],)


@op("expand_dims", exact=True, samples=_expand_dims_samples, transparent=True)
def expand_dims(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """`axes` are places in the result, negative ones from its end."""
    rank = x.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _squeeze_samples(given: Arguments) -> tuple[Axis, ...]:
    along("axes")(given)
    return (without(given.only("x"), given.constants["axes"], len(given.shape("x"))),)


@op("squeeze", exact=True, samples=_squeeze_samples, transparent=True)
def squeeze(x: Tensor, axes: tuple[int, ...] | None = None) -> Tensor:
    """Removes the axes of size 1 among `axes`, by default among all; leaves the others as they are."""
    return x.squeeze() if axes is None else x.squeeze(axes)


@op("reverse", exact=True, samples=along("axes"))
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
