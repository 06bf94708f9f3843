"""Slices in a trace whose begin depends on values: of a size that is known, they are elements picked by their index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

_Mask = Sequence[bool] | None


def _by_size(x: Tensor, sizes: Sequence[Any], begin: Tensor, size: Sequence[Any] | None = None) -> Tensor:
    if size is not None:  # -1 takes the rest, which is what the program declares
        sizes = [known if given == -1 else given for given, known in zip(size, sizes, strict=True)]
    return _picked(x, [_run(x, axis, begin[axis], count, 1) for axis, count in enumerate(sizes)])


def _by_index(
    x: Tensor,
    sizes: Sequence[Any],
    begin: Tensor,
    end: Any = None,
    stride: Sequence[int] | None = None,
    begin_mask: _Mask = None,
    end_mask: _Mask = None,
    squeeze_mask: _Mask = None,
) -> Tensor:
    del end, end_mask  # the declared sizes say it
    squeezed = [axis for axis in range(x.dim()) if squeeze_mask and squeeze_mask[axis]]
    counts = iter(sizes)
    places = []
    for axis in range(x.dim()):
        count, step = 1 if axis in squeezed else next(counts), stride[axis] if stride else 1
        places.append(_run(x, axis, _first(begin, begin_mask, axis, step), count, step))
    found = _picked(x, places)
    return found.squeeze(squeezed) if squeezed else found


def _update(
    x: Tensor,
    sizes: Sequence[Any],
    update: Tensor,
    begin: Tensor,
    end: Any = None,
    stride: Sequence[int] | None = None,
    begin_mask: _Mask = None,
    end_mask: _Mask = None,
    squeeze_mask: _Mask = None,
) -> Tensor:
    del end, end_mask, sizes  # the update's own sizes say it
    for axis in range(x.dim()):
        if squeeze_mask and squeeze_mask[axis]:
            update = update.unsqueeze(axis)
    places = []
    for axis in range(x.dim()):
        step = stride[axis] if stride else 1
        place = _run(x, axis, _first(begin, begin_mask, axis, step), update.shape[axis], step)
        if place is None:
            place = torch.arange(x.shape[axis])
        places.append(place.reshape([-1 if other == axis else 1 for other in range(x.dim())]))
    return torch.index_put(x, tuple(places), update.to(x.dtype))


def _first(begin: Tensor, mask: _Mask, axis: int, step: int) -> Tensor:
    """Where a slice of `axis` begins: at its start where `mask` leaves it open."""
    if not (mask and mask[axis]):
        return begin[axis]
    if step < 0:
        raise ValueError("a slice backwards from an open begin, with a bound that depends on values")
    return torch.zeros((), dtype=torch.int64)


def _run(x: Tensor, axis: int, first: Tensor, count: Any, step: int) -> Tensor | None:
    """The places of `count` elements from `first` on; None where that is the whole axis."""
    if not isinstance(count, (int, torch.SymInt)):
        raise ValueError("the size of a slice depends on values (data-dependent)")
    if isinstance(count, int) and isinstance(x.shape[axis], int) and count == x.shape[axis] and step == 1:
        return None
    first = first.to(torch.int64)
    return torch.where(first < 0, first + x.shape[axis], first) + step * torch.arange(count)


def _picked(x: Tensor, places: Sequence[Tensor | None]) -> Tensor:
    for axis, place in enumerate(places):
        if place is not None:
            x = torch.index_select(x, axis, place)
    return x


OPS: dict[str, Callable[..., Tensor]] = {
    "slice_by_size": _by_size,
    "slice_by_index": _by_index,
    "slice_update": _update,
}
"""By op: its result from x, the declared sizes of the result, the begin as a tensor, and the op's other inputs."""
