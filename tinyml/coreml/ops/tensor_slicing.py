"""Parts of tensors: slice_by_index, slice_by_size, slice_update, sliding_windows."""

from __future__ import annotations

import torch
from torch import Tensor

from .registry import op
from .samples import Arguments, Axis, MixedSamplesError

_Bools = tuple[bool, ...] | None
_Ints = tuple[int, ...] | None


def _slices(
    rank: int, begin: tuple[int, ...], end: tuple[int, ...], stride: _Ints, begin_mask: _Bools, end_mask: _Bools
) -> list[slice]:
    """One slice for each axis; a masked bound is open, whatever the direction."""
    nothing = (False,) * rank
    strides, open_begin, open_end = stride or (1,) * rank, begin_mask or nothing, end_mask or nothing
    return [
        slice(None if open_begin[axis] else begin[axis], None if open_end[axis] else end[axis], strides[axis])
        for axis in range(rank)
    ]


def _ascending(part: slice, size: int) -> tuple[slice, bool]:
    """The same elements by a positive stride, and whether they come in reverse."""
    if part.step > 0:
        return part, False
    if part.start is None and part.stop is None and part.step == -1:
        return slice(None, None, 1), True
    places = range(*part.indices(size))
    return (slice(places[-1], places[0] + 1, -part.step) if places else slice(0, 0, 1)), True


def _slice_by_index_samples(given: Arguments) -> tuple[Axis, ...]:
    axis, shape = given.only("x"), given.shape("x")
    rank = len(shape)
    squeezed = given.constants["squeeze_mask"] or (False,) * rank
    stride = given.constants["stride"] or (1,) * rank
    begins, ends = given.constants["begin_mask"] or (False,) * rank, given.constants["end_mask"] or (False,) * rank
    whole = slice(
        None if begins[axis] else given.constants["begin"][axis],
        None if ends[axis] else given.constants["end"][axis],
        stride[axis],
    )
    if squeezed[axis] or range(*whole.indices(1)) != range(1):
        raise MixedSamplesError
    for name, mask in (("begin_mask", begins), ("end_mask", ends)):
        given.changes[name] = (*mask[:axis], True, *mask[axis + 1 :])
    given.changes["stride"] = (*stride[:axis], 1, *stride[axis + 1 :])
    return (axis - sum(squeezed[:axis]),)


@op("slice_by_index", exact=True, samples=_slice_by_index_samples)
def slice_by_index(
    x: Tensor,
    begin: tuple[int, ...],
    end: tuple[int, ...],
    stride: tuple[int, ...] | None = None,
    begin_mask: tuple[bool, ...] | None = None,
    end_mask: tuple[bool, ...] | None = None,
    squeeze_mask: tuple[bool, ...] | None = None,
) -> Tensor:
    """`x[begin:end:stride]` for each axis as in numpy; a squeezed axis is indexed at its begin and goes away."""
    squeezed = squeeze_mask or (False,) * x.dim()
    index: list[slice | int] = []
    backwards: list[int] = []
    for axis, part in enumerate(_slices(x.dim(), begin, end, stride, begin_mask, end_mask)):
        if squeezed[axis]:
            index.append(0 if part.start is None else part.start)
            continue
        forward, is_reversed = _ascending(part, x.shape[axis])
        if is_reversed:
            backwards.append(sum(isinstance(taken, slice) for taken in index))
        index.append(forward)
    result = x[tuple(index)]
    return result.flip(backwards) if backwards else result


def _slice_by_size_samples(given: Arguments) -> tuple[Axis, ...]:
    axis = given.only("x")
    begin, size = given.constants["begin"], given.constants["size"]
    if begin[axis] not in (0, -1) or size[axis] not in (1, -1):
        raise MixedSamplesError
    given.changes["begin"] = (*begin[:axis], 0, *begin[axis + 1 :])
    given.changes["size"] = (*size[:axis], -1, *size[axis + 1 :])
    return (axis,)


@op("slice_by_size", exact=True, samples=_slice_by_size_samples)
def slice_by_size(x: Tensor, begin: tuple[int, ...], size: tuple[int, ...]) -> Tensor:
    """`size` elements of each axis from `begin` on; -1 takes the rest; a negative begin counts from the end."""
    for axis, (first, count) in enumerate(zip(begin, size, strict=True)):
        start = first + x.shape[axis] if first < 0 else first
        x = x.narrow(axis, start, x.shape[axis] - start if count == -1 else count)
    return x


@op("slice_update", since="iOS18", exact=True)
def slice_update(
    x: Tensor,
    update: Tensor,
    begin: tuple[int, ...],
    end: tuple[int, ...],
    stride: tuple[int, ...] | None = None,
    begin_mask: tuple[bool, ...] | None = None,
    end_mask: tuple[bool, ...] | None = None,
    squeeze_mask: tuple[bool, ...] | None = None,
) -> Tensor:
    """A copy of `x` with `update` in the place that slice_by_index would take with the same arguments."""
    squeezed = squeeze_mask or (False,) * x.dim()
    places: list[slice] = []
    backwards: list[int] = []
    for axis, part in enumerate(_slices(x.dim(), begin, end, stride, begin_mask, end_mask)):
        if squeezed[axis]:
            first = _one_of(part.start or 0, x.shape[axis])
            places.append(slice(first, first + 1, 1))
            update = update.unsqueeze(axis)
            continue
        forward, is_reversed = _ascending(part, x.shape[axis])
        if is_reversed:
            backwards.append(axis)
        places.append(forward)
    return _written(x, update.flip(backwards) if backwards else update, places, 0)


def _one_of(index: int, size: int) -> int:
    """The place of a squeezed axis that `index`, from either end, names; IndexError outside, as in slice_by_index."""
    # A symbol of a trace cannot be refused.
    if type(index) is int and type(size) is int and not -size <= index < size:
        raise IndexError(f"index {index} into an axis of {size}")
    return index % size


def _written(x: Tensor, update: Tensor, places: list[slice], axis: int) -> Tensor:
    # Out of place, axis by axis: under vmap an update may be batched where x is not.
    if axis == len(places):
        return update
    place = places[axis]
    if place == slice(None, None, 1):
        return _written(x, update, places, axis + 1)
    part = _written(x[(slice(None),) * axis + (place,)], update, places, axis + 1)
    return torch.slice_scatter(x, part, axis, place.start, place.stop, place.step)


@op("sliding_windows", exact=True)
def sliding_windows(x: Tensor, axis: int, size: int, stride: int = 1) -> Tensor:
    """All windows of `size` along `axis`, `stride` apart; their elements form a new axis after it."""
    axis %= x.dim()
    return x.unfold(axis, size, stride).movedim(-1, axis + 1)
