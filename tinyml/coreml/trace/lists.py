"""Lists of tensors in a trace, as one tensor: so a loop can carry them, and their length may stay open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..ops.carriers import CARRIERS
from ..ops.context import TensorList
from ..ops.control_flow import known_size
from .sizes import Numbers, vector


@dataclass(frozen=True, eq=False)
class StackedList:
    """A list that does not grow: its elements [length, *shape of one], zeros where none was written."""

    stacked: Tensor


def blank(length: Any, shape: Sequence[Any], dtype: str) -> StackedList:
    """A list of `length` unwritten elements; raises ValueError where a size in `shape` is not known."""
    shape = [known_size(size) for size in shape]
    if None in shape:
        raise ValueError("a list of elements whose shape only the run fixes")
    return StackedList(torch.zeros((length, *shape), dtype=CARRIERS[dtype]))


def stacked(value: TensorList) -> StackedList:
    """`value` as one tensor; raises ValueError where the shape of its elements is not known."""
    written = next((element for element in value.elements if element is not None), None)
    shape = value.element.shape if written is None else written.shape
    zeros = blank(len(value.elements), shape, value.element.dtype).stacked
    if written is None:
        return StackedList(zeros)
    elements = [zeros[n] if element is None else element for n, element in enumerate(value.elements)]
    return StackedList(torch.stack(elements))


def _places(ls: StackedList, index: Any) -> Tensor:
    """Indices as a vector of places from the front."""
    places = torch.as_tensor(index).reshape(-1).to(torch.int64)
    return torch.where(places < 0, places + ls.stacked.shape[0], places)


def _read(ls: StackedList, index: Any) -> Tensor:
    return torch.index_select(ls.stacked, 0, _places(ls, index)).squeeze(0)


def _gather(ls: StackedList, indices: Any) -> Tensor:
    return torch.index_select(ls.stacked, 0, _places(ls, indices))


def _write(ls: StackedList, index: Any, value: Tensor) -> StackedList:
    return _scatter(ls, index, value.unsqueeze(0))


def _scatter(ls: StackedList, indices: Any, value: Tensor) -> StackedList:
    return StackedList(torch.index_put(ls.stacked, (_places(ls, indices),), value.to(ls.stacked.dtype)))


OPS: dict[str, Callable[..., Any]] = {
    "list_read": _read,
    "list_gather": _gather,
    "list_write": _write,
    "list_scatter": _scatter,
    "list_length": lambda ls: Numbers(vector(ls.stacked.shape[:1]).reshape(()), torch.int32),
}
"""By op of a list that is one tensor: its result, by the names of the op's inputs."""
