"""Reading and writing at computed indices: gather, scatter and their _nd and _along_axis forms.

Up to iOS16 a negative index counts from the end. From iOS17 on it is out of bounds, as is one past the end: with
`validate_indices` such an index is refused, without it Core ML leaves the result undefined (but safe), and the nearest
valid element is taken here.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ....errors import InputError, PackageError
from .registry import op


@op("gather", exact=True)
def gather(x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
    """The slices of `x` at `indices` along `axis`; the axes of `indices` take its place."""
    return _gather(x, _from_end(indices, x.shape[axis]), axis, 0)


@op("gather", since="iOS16", exact=True)
def gather_with_batch_dims(x: Tensor, indices: Tensor, axis: int = 0, batch_dims: int = 0) -> Tensor:
    """As before, apart for each place in the first `batch_dims` axes, which `x` and `indices` share."""
    return _gather(x, _from_end(indices, x.shape[axis]), axis, batch_dims)


@op("gather", since="iOS17", exact=True)
def gather_validated(
    x: Tensor, indices: Tensor, axis: int = 0, batch_dims: int = 0, validate_indices: bool = False
) -> Tensor:
    """As before, with indices from 0 on only."""
    return _gather(x, _bounded(indices, x.shape[axis], validate_indices), axis, batch_dims)


@op("gather_along_axis", exact=True)
def gather_along_axis(x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
    """`x` at the index that `indices` holds for each place, along `axis`; the result has the shape of `indices`."""
    return torch.gather(x, axis, _from_end(indices, x.shape[axis]))


@op("gather_along_axis", since="iOS17", exact=True)
def gather_along_axis_validated(x: Tensor, indices: Tensor, axis: int = 0, validate_indices: bool = False) -> Tensor:
    """As before, with indices from 0 on only."""
    return torch.gather(x, axis, _bounded(indices, x.shape[axis], validate_indices))


@op("gather_nd", exact=True)
def gather_nd(x: Tensor, indices: Tensor) -> Tensor:
    """The parts of `x` at the index vectors in the last axis of `indices`."""
    return _gather_nd(x, _from_end(indices, _depth_sizes(x, indices, 0)), 0)


@op("gather_nd", since="iOS16", exact=True)
def gather_nd_with_batch_dims(x: Tensor, indices: Tensor, batch_dims: int = 0) -> Tensor:
    """As before, apart for each place in the first `batch_dims` axes, which `x` and `indices` share."""
    return _gather_nd(x, _from_end(indices, _depth_sizes(x, indices, batch_dims)), batch_dims)


@op("gather_nd", since="iOS17", exact=True)
def gather_nd_validated(x: Tensor, indices: Tensor, batch_dims: int = 0, validate_indices: bool = False) -> Tensor:
    """As before, with indices from 0 on only."""
    bounded = _bounded(indices, _depth_sizes(x, indices, batch_dims), validate_indices)
    return _gather_nd(x, bounded, batch_dims)


@op("scatter")
def scatter(data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, mode: str = "add") -> Tensor:
    """`data` with the slices of `updates` combined by `mode` into its own slices at `indices` along `axis`."""
    return _scatter(data, _from_end(indices, data.shape[axis]), updates, axis, mode)


@op("scatter", since="iOS17")
def scatter_validated(
    data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, mode: str = "add", validate_indices: bool = False
) -> Tensor:
    """As before, with indices from 0 on only."""
    return _scatter(data, _bounded(indices, data.shape[axis], validate_indices), updates, axis, mode)


@op("scatter_along_axis")
def scatter_along_axis(data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, mode: str = "add") -> Tensor:
    """`data` with each element of `updates` combined by `mode` into the place that `indices` names along `axis`."""
    return _combined(data, axis, _from_end(indices, data.shape[axis]), updates, mode)


@op("scatter_along_axis", since="iOS17")
def scatter_along_axis_validated(
    data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, mode: str = "add", validate_indices: bool = False
) -> Tensor:
    """As before, with indices from 0 on only."""
    return _combined(data, axis, _bounded(indices, data.shape[axis], validate_indices), updates, mode)


@op("scatter_nd")
def scatter_nd(data: Tensor, indices: Tensor, updates: Tensor, mode: str = "add") -> Tensor:
    """`data` with the parts of `updates` combined by `mode` into its own at the index vectors in `indices`."""
    return _scatter_nd(data, _from_end(indices, _depth_sizes(data, indices, 0)), updates, mode)


@op("scatter_nd", since="iOS17")
def scatter_nd_validated(
    data: Tensor, indices: Tensor, updates: Tensor, mode: str = "add", validate_indices: bool = False
) -> Tensor:
    """As before, with indices from 0 on only."""
    return _scatter_nd(data, _bounded(indices, _depth_sizes(data, indices, 0), validate_indices), updates, mode)


def _depth_sizes(x: Tensor, indices: Tensor, batch_dims: int) -> Tensor:
    """The size of each axis that an index vector points into."""
    return torch.tensor(x.shape[batch_dims : batch_dims + indices.shape[-1]], device=indices.device)


def _from_end(indices: Tensor, size: int | Tensor) -> Tensor:
    wide = indices.to(torch.int64)
    return torch.where(wide < 0, wide + size, wide)


def _bounded(indices: Tensor, size: int | Tensor, validate: bool) -> Tensor:
    wide = indices.to(torch.int64)
    if validate:
        if bool(((wide < 0) | (wide >= size)).any()):
            limit = size.tolist() if isinstance(size, Tensor) else size
            raise InputError("an index is out of bounds", value=indices.tolist(), allowed=f"0 <= index < {limit}")
        return wide
    return torch.minimum(wide.clamp(min=0), torch.as_tensor(size, device=wide.device) - 1)


def _gather(x: Tensor, indices: Tensor, axis: int, batch_dims: int) -> Tensor:
    axis %= x.dim()
    if batch_dims == 0:
        if indices.dim() == 0:
            return x.index_select(axis, indices.reshape(1)).squeeze(axis)
        if indices.dim() == 1:
            return x.index_select(axis, indices)
        rows = x.index_select(axis, indices.reshape(-1))
        return rows.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])
    # Axes of x between the batch and `axis` and after it keep their order around those of the indices.
    batches = [
        torch.arange(x.shape[place], device=x.device).reshape([-1] + [1] * (batch_dims - 1 - place))
        for place in range(batch_dims)
    ]
    moved = x.movedim(axis, batch_dims)
    tail = indices.dim() - batch_dims
    taken = moved[(*(batch.reshape(batch.shape + (1,) * tail) for batch in batches), indices)]
    between = axis - batch_dims
    sources = list(range(indices.dim(), indices.dim() + between))
    return taken.movedim(sources, list(range(batch_dims, batch_dims + between)))


def _gather_nd(x: Tensor, indices: Tensor, batch_dims: int) -> Tensor:
    vectors = indices.unbind(-1)
    places = indices.dim() - 1
    batches = [
        torch.arange(x.shape[place], device=x.device).reshape([-1 if axis == place else 1 for axis in range(places)])
        for place in range(batch_dims)
    ]
    if not batches and not vectors:
        return x.expand(indices.shape[:-1] + x.shape)
    return x[(*batches, *vectors)]


def _scatter(data: Tensor, indices: Tensor, updates: Tensor, axis: int, mode: str) -> Tensor:
    axis %= data.dim()
    shape = [1] * data.dim()
    shape[axis] = -1
    return _combined(data, axis, indices.reshape(shape).expand(updates.shape), updates, mode)


def _scatter_nd(data: Tensor, indices: Tensor, updates: Tensor, mode: str) -> Tensor:
    depth = indices.shape[-1]
    if depth == 0:
        return _combined(data[None], 0, torch.zeros_like(updates, dtype=torch.int64)[None], updates[None], mode)[0]
    flat_index = torch.zeros_like(indices[..., 0])
    for axis in range(depth):
        flat_index = flat_index * data.shape[axis] + indices[..., axis]
    parts = data.reshape((-1, *data.shape[depth:]))
    flat_updates = updates.reshape((-1, *data.shape[depth:]))
    return _scatter(parts, flat_index.reshape(-1), flat_updates, 0, mode).reshape(data.shape)


def _combined(data: Tensor, axis: int, indices: Tensor, updates: Tensor, mode: str) -> Tensor:
    """The elementwise scatter that all others come down to; an index that comes twice is combined twice."""
    if mode == "update":
        return torch.scatter(data, axis, indices, updates)
    if mode == "add":
        return torch.scatter_add(data, axis, indices, updates)
    if mode == "sub":
        return torch.scatter_add(data, axis, indices, -updates)
    if mode == "div":
        divisor = torch.scatter_reduce(torch.ones_like(data), axis, indices, updates, "prod")
        quotient = data / divisor
        return quotient if data.is_floating_point() else quotient.trunc().to(data.dtype)
    reduction = {"mul": "prod", "max": "amax", "min": "amin"}.get(mode)
    if reduction is None:
        raise PackageError("scatter: unknown mode", value=mode, allowed="update, add, sub, mul, div, max, min")
    return torch.scatter_reduce(data, axis, indices, updates, reduction)
