"""Reading and writing at computed indices: gather, scatter and their _nd and _along_axis forms.

Up to iOS16 a negative index counts from the end. From iOS17 on it is out of bounds, as is one past the end: with
`validate_indices` such an index is refused, without it Core ML leaves the result undefined (but safe); here gather then
takes the nearest valid element and scatter drops the update.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from tinyml.errors import InputError, PackageError

from ..program.limits import check_size
from .elementwise_binary import divided
from .registry import op
from .samples import Arguments, Axis, MixedSamplesError


def _gather_samples(given: Arguments) -> tuple[Axis, ...]:
    axis, rank = given.only("x"), len(given.shape("x"))
    along = given.constants["axis"] % rank
    if along == axis or (given.constants.get("batch_dims")):
        raise MixedSamplesError
    return (axis if axis < along else axis + len(given.shape("indices")) - 1,)


@op("gather", exact=True, samples=_gather_samples)
def gather(x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
    """The slices of `x` at `indices` along `axis`; the axes of `indices` take its place."""
    return _gather(x, _from_end(indices, x.shape[axis]), axis, 0)


@op("gather", since="iOS16", exact=True, samples=_gather_samples)
def gather_with_batch_dims(x: Tensor, indices: Tensor, axis: int = 0, batch_dims: int = 0) -> Tensor:
    """As before, apart for each place in the first `batch_dims` axes, which `x` and `indices` share."""
    return _gather(x, _from_end(indices, x.shape[axis]), axis, batch_dims)


@op("gather", since="iOS17", exact=True, samples=_gather_samples)
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
    if validate_indices:
        return _scatter(data, _checked(indices, data.shape[axis]), updates, axis, mode)
    spare = _with_spare(data, axis)
    return _scatter(spare, _or_spare(indices, data.shape[axis]), updates, axis, mode).narrow(axis, 0, data.shape[axis])


@op("scatter_along_axis")
def scatter_along_axis(data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, mode: str = "add") -> Tensor:
    """`data` with each element of `updates` combined by `mode` into the place that `indices` names along `axis`."""
    return _combined(data, axis, _from_end(indices, data.shape[axis]), updates, mode)


@op("scatter_along_axis", since="iOS17")
def scatter_along_axis_validated(
    data: Tensor, indices: Tensor, updates: Tensor, axis: int = 0, mode: str = "add", validate_indices: bool = False
) -> Tensor:
    """As before, with indices from 0 on only."""
    size = data.shape[axis]
    if validate_indices:
        return _combined(data, axis, _checked(indices, size), updates, mode)
    return _combined(_with_spare(data, axis), axis, _or_spare(indices, size), updates, mode).narrow(axis, 0, size)


@op("scatter_nd")
def scatter_nd(data: Tensor, indices: Tensor, updates: Tensor, mode: str = "add") -> Tensor:
    """`data` with the parts of `updates` combined by `mode` into its own at the index vectors in `indices`."""
    parts = _parts(data, indices)
    places = _flat(_from_end(indices, _depth_sizes(data, indices, 0)), data)
    return _scatter(parts, places, updates, 0, mode).reshape(data.shape)


@op("scatter_nd", since="iOS17")
def scatter_nd_validated(
    data: Tensor, indices: Tensor, updates: Tensor, mode: str = "add", validate_indices: bool = False
) -> Tensor:
    """As before, with indices from 0 on only."""
    parts, sizes = _parts(data, indices), _depth_sizes(data, indices, 0)
    if validate_indices:
        return _scatter(parts, _flat(_checked(indices, sizes), data), updates, 0, mode).reshape(data.shape)
    wide = indices.to(torch.int64)
    inside = ((wide >= 0) & (wide < sizes)).all(dim=-1)
    places = torch.where(inside, _flat(wide, data), parts.shape[0])
    scattered = _scatter(_with_spare(parts, 0), places, updates, 0, mode)
    return scattered.narrow(0, 0, parts.shape[0]).reshape(data.shape)


def _depth_sizes(x: Tensor, indices: Tensor, batch_dims: int) -> Tensor:
    """The size of each axis that an index vector points into."""
    sizes = x.shape[batch_dims : batch_dims + indices.shape[-1]]
    if all(type(size) is int for size in sizes):
        return torch.tensor(sizes, device=indices.device)
    return torch.stack([torch.scalar_tensor(size, dtype=torch.int64, device=indices.device) for size in sizes])


def _from_end(indices: Tensor, size: int | Tensor) -> Tensor:
    wide = indices.to(torch.int64)
    return torch.where(wide < 0, wide + size, wide)


def _bounded(indices: Tensor, size: int | Tensor, validate: bool) -> Tensor:
    if validate:
        return _checked(indices, size)
    if not isinstance(size, Tensor):  # a tensor of a size that is a symbol of a trace would fix it
        return indices.to(torch.int64).clamp(0, size - 1)
    return torch.minimum(indices.to(torch.int64).clamp(min=0), size - 1)


def _checked(indices: Tensor, size: int | Tensor) -> Tensor:
    wide = indices.to(torch.int64)
    # A traced graph has no way to refuse a value.
    if not torch.compiler.is_compiling() and bool(((wide < 0) | (wide >= size)).any()):
        limit = size.tolist() if isinstance(size, Tensor) else size
        raise InputError("an index is out of bounds", value=indices.tolist(), allowed=f"0 <= index < {limit}")
    return wide


def _with_spare(data: Tensor, axis: int) -> Tensor:
    """One more slice at the end of `axis`, where updates go that are to be dropped."""
    return torch.cat([data, data.narrow(axis, 0, 1)], dim=axis)


def _or_spare(indices: Tensor, size: int) -> Tensor:
    wide = indices.to(torch.int64)
    return torch.where((wide >= 0) & (wide < size), wide, size)


def _gather(x: Tensor, indices: Tensor, axis: int, batch_dims: int) -> Tensor:
    axis %= x.dim()
    check_size("gather", (*x.shape[:axis], *indices.shape[batch_dims:], *x.shape[axis + 1 :]))
    if batch_dims == 0:
        rows = x.index_select(axis, indices.reshape(-1))
        return rows if indices.dim() == 1 else rows.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])
    # The axes between the batch and `axis` step behind it, and come back before those of the indices.
    between, own = axis - batch_dims, indices.dim() - batch_dims
    batches = _batch_places(x, batch_dims, indices.dim())
    taken = x.movedim(axis, batch_dims)[(*batches, indices)]
    first = batch_dims + own
    return taken.movedim(tuple(range(first, first + between)), tuple(range(batch_dims, batch_dims + between)))


def _gather_nd(x: Tensor, indices: Tensor, batch_dims: int) -> Tensor:
    check_size("gather_nd", (*indices.shape[:-1], *x.shape[batch_dims + indices.shape[-1] :]))
    vectors = indices.unbind(-1)
    if not vectors and batch_dims == 0:
        return x.expand(indices.shape[:-1] + x.shape)
    return x[(*_batch_places(x, batch_dims, indices.dim() - 1), *vectors)]


def _batch_places(x: Tensor, batch_dims: int, rank: int) -> list[Tensor]:
    """The index along each batch axis, of a shape that broadcasts to `rank` axes."""
    return [
        torch.arange(x.shape[axis], device=x.device).reshape([-1 if axis == place else 1 for place in range(rank)])
        for axis in range(batch_dims)
    ]


def _parts(data: Tensor, indices: Tensor) -> Tensor:
    """[all index vectors there are, *one part]."""
    depth = indices.shape[-1]
    return data.reshape((math.prod(data.shape[:depth]), *data.shape[depth:]))


def _flat(vectors: Tensor, data: Tensor) -> Tensor:
    places = torch.zeros_like(vectors[..., :1]).sum(dim=-1)
    for axis in range(vectors.shape[-1]):
        places = places * data.shape[axis] + vectors[..., axis]
    return places


def _scatter(data: Tensor, indices: Tensor, updates: Tensor, axis: int, mode: str) -> Tensor:
    """`updates` has the axes of `indices`, of which there may be any number, in the place of `axis`."""
    axis %= data.dim()
    slices = updates.reshape((*data.shape[:axis], indices.numel(), *data.shape[axis + 1 :]))
    shape = [1] * data.dim()
    shape[axis] = -1
    return _combined(data, axis, indices.reshape(shape).expand(slices.shape), slices, mode)


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
        return data / divisor if data.is_floating_point() else divided(data, divisor, "trunc")
    reduction = {"mul": "prod", "max": "amax", "min": "amin"}.get(mode)
    if reduction is None:
        raise PackageError("scatter: unknown mode", value=mode, allowed="update, add, sub, mul, div, max, min")
    return torch.scatter_reduce(data, axis, indices, updates, reduction)
