"""Reductions along axes (none given: along all); integers in, integers out, without a fraction."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .registry import op
from .samples import along

Axes = tuple[int, ...]


def _reduced(x: Tensor, axes: Axes | None, keep_dims: bool, reduce: Callable[[Tensor, Axes, bool], Tensor]) -> Tensor:
    """`reduce(x, axes, keep_dims)`; an empty `axes` reduces nothing, where torch would reduce everything."""
    if axes is None:
        axes = tuple(range(x.dim()))
    if not axes:
        return reduce(x.unsqueeze(0), (0,), False)
    return reduce(x, axes, keep_dims)


def _by_float(x: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """`compute(x)`, by way of float64 where `x` is of integers, whose sums float32 would round."""
    return compute(x) if x.is_floating_point() else compute(x.to(torch.float64)).to(x.dtype)


@op("reduce_argmax", exact=True, samples=along("axis", removes=True))
def reduce_argmax(x: Tensor, axis: int = -1, keep_dims: bool = False) -> Tensor:
    """The index of the largest value along `axis`, the first of several."""
    return torch.argmax(x, axis, keep_dims).to(torch.int32)


@op("reduce_argmax", since="iOS17", exact=True, samples=along("axis", removes=True))
def reduce_argmax_typed(
    x: Tensor,
    axis: int = -1,
    keep_dims: bool = False,
    output_dtype: str = "int32",  # noqa: ARG001 (the declared type says it too)
) -> Tensor:
    """As in iOS15, of type int32 or uint16 (which is held in 32 bits here)."""
    return reduce_argmax(x, axis, keep_dims)


@op("reduce_argmin", exact=True, samples=along("axis", removes=True))
def reduce_argmin(x: Tensor, axis: int = -1, keep_dims: bool = False) -> Tensor:
    """The index of the smallest value along `axis`, the first of several."""
    return torch.argmin(x, axis, keep_dims).to(torch.int32)


@op("reduce_argmin", since="iOS17", exact=True, samples=along("axis", removes=True))
def reduce_argmin_typed(
    x: Tensor,
    axis: int = -1,
    keep_dims: bool = False,
    output_dtype: str = "int32",  # noqa: ARG001 (the declared type says it too)
) -> Tensor:
    """As in iOS15, of type int32 or uint16 (which is held in 32 bits here)."""
    return reduce_argmin(x, axis, keep_dims)


@op("reduce_l1_norm", samples=along("axes", removes=True))
def reduce_l1_norm(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """`sum(|x|)`."""
    return _reduced(x.abs(), axes, keep_dims, _sum)


@op("reduce_l2_norm", samples=along("axes", removes=True))
def reduce_l2_norm(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """`sqrt(sum(x^2))`."""
    return _by_float(x, lambda v: torch.sqrt(_reduced(v * v, axes, keep_dims, _sum)))


@op("reduce_log_sum", samples=along("axes", removes=True))
def reduce_log_sum(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """`log(sum(x))`."""
    return _by_float(x, lambda v: torch.log(_reduced(v, axes, keep_dims, _sum)))


@op("reduce_log_sum_exp", samples=along("axes", removes=True))
def reduce_log_sum_exp(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """`log(sum(e^x))`, without overflow."""
    return _by_float(x, lambda v: _reduced(v, axes, keep_dims, torch.logsumexp))


@op("reduce_max", exact=True, samples=along("axes", removes=True))
def reduce_max(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """The largest value."""
    return _reduced(x, axes, keep_dims, torch.amax)


@op("reduce_mean", samples=along("axes", removes=True))
def reduce_mean(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """The mean."""
    return _by_float(x, lambda v: _reduced(v, axes, keep_dims, torch.mean))


@op("reduce_min", exact=True, samples=along("axes", removes=True))
def reduce_min(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """The smallest value."""
    return _reduced(x, axes, keep_dims, torch.amin)


@op("reduce_prod", samples=along("axes", removes=True))
def reduce_prod(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """The product."""
    return _reduced(x, axes, keep_dims, _product)


@op("reduce_sum", samples=along("axes", removes=True))
def reduce_sum(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """The sum."""
    return _reduced(x, axes, keep_dims, _sum)


@op("reduce_sum_square", samples=along("axes", removes=True))
def reduce_sum_square(x: Tensor, axes: Axes | None = None, keep_dims: bool = False) -> Tensor:
    """`sum(x^2)`."""
    return _reduced(x * x, axes, keep_dims, _sum)


def _sum(x: Tensor, axes: Axes, keep_dims: bool) -> Tensor:
    return torch.sum(x, axes, keep_dims, dtype=x.dtype)


def _product(x: Tensor, axes: Axes, keep_dims: bool) -> Tensor:
    for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
        x = torch.prod(x, axis, keep_dims, dtype=x.dtype)
    return x
