"""Ops that order elements by value: argsort, topk, non-maximum suppression."""

from __future__ import annotations

import torch
from torch import Tensor

from .registry import op


@op("argsort")
def argsort(x: Tensor, axis: int = -1, ascending: bool = False) -> Tensor:
    """int32 places of the sorted values; equal ones keep their order."""
    return torch.argsort(x, dim=axis, descending=not ascending, stable=True).to(torch.int32)


def _topk(x: Tensor, k: int, axis: int, ascending: bool) -> tuple[Tensor, Tensor]:
    count = x.shape[axis] if k == -1 else k
    values, places = torch.sort(x, dim=axis, descending=not ascending, stable=True)
    return values.narrow(axis, 0, count), places.narrow(axis, 0, count).to(torch.int32)


@op("topk", exact=True)
def topk(x: Tensor, k: int = 1, axis: int = -1, ascending: bool = False) -> tuple[Tensor, Tensor]:
    """The `k` largest (or smallest) along `axis`, sorted, and their int32 places; of equal ones the first."""
    return _topk(x, k, axis, ascending)


@op("topk", since="iOS16", exact=True)
def topk_with_options(
    x: Tensor,
    k: int = 1,
    axis: int = -1,
    ascending: bool = False,
    sort: bool = True,  # noqa: ARG001
    return_indices: bool = True,
) -> tuple[Tensor, Tensor] | Tensor:
    """As before; unsorted results may come in any order, and do come sorted. Without indices, one output."""
    values, places = _topk(x, k, axis, ascending)
    return (values, places) if return_indices else values


@op("topk", since="iOS17", exact=True)
def topk_with_typed_indices(
    x: Tensor,
    k: int = 1,
    axis: int = -1,
    ascending: bool = False,
    sort: bool = True,  # noqa: ARG001
    return_indices: bool = True,
    output_indices_dtype: str | None = None,  # noqa: ARG001
) -> tuple[Tensor, Tensor] | Tensor:
    """As before, all elements for a `k` of -1; places declared uint16 are int32 here as well."""
    values, places = _topk(x, k, axis, ascending)
    return (values, places) if return_indices else values
