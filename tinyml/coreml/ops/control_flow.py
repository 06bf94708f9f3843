"""Ops: cond, while_loop, select, and lists of tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from ..program.limits import check_size
from ..program.types import ValueType
from .carriers import CARRIERS
from .context import OpContext, TensorList
from .elementwise_binary import bounded
from .registry import op
from .samples import broadcast

MAX_LENGTH = 2**20
"""A list longer than this is refused: an index gone astray, not a program's intent."""

MAX_ITERATIONS = 1_000_000
"""A loop that is still running after so many turns is taken for one without an end."""


@op("cond", exact=True, folds=False)
def cond(pred: bool, context: OpContext) -> tuple[object, ...]:
    """The outputs of the first block where `pred`, of the second otherwise."""
    return context.blocks[0 if pred else 1](())


@op("while_loop", exact=True, folds=False)
def while_loop(loop_vars: tuple[object, ...], context: OpContext) -> tuple[object, ...]:
    """Applies the second block to the variables as long as the first one says so."""
    condition, body = context.blocks
    for _ in range(MAX_ITERATIONS):
        if not _truth(condition(loop_vars)[0]):
            return loop_vars
        loop_vars = body(loop_vars)
    raise RuntimeError(f"no end after {MAX_ITERATIONS} iterations")


def _truth(value: object) -> bool:
    return bool(value.item()) if isinstance(value, Tensor) else bool(value)


@op("select", exact=True, samples=broadcast)
def select(cond: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Elements of `a` where `cond`, of `b` elsewhere, all broadcast."""
    bounded("select", cond, a, b)
    return torch.where(cond, a, b)


@op("make_list", exact=True, folds=False)
def make_list(
    elem_shape: tuple[object, ...],
    context: OpContext,
    init_length: int = 1,
    dynamic_length: bool = True,
    dtype: str = "fp32",
) -> TensorList:
    """A list of `init_length` elements not yet written; a string in `elem_shape` is a size that only the run fixes."""
    del context
    shape = tuple(known_size(item) for item in elem_shape)
    _check_length(init_length)
    element = ValueType(dtype=dtype, shape=shape)
    return TensorList(element=element, elements=(None,) * init_length, dynamic=dynamic_length)


def known_size(item: object) -> int | None:
    """A size in a list's declaration; None where only the run fixes it."""
    if isinstance(item, (int, torch.SymInt)):  # known while a program is traced
        return item  # type: ignore[return-value]
    return int(item.item()) if isinstance(item, Tensor) else None


def _check_length(length: int) -> None:
    if not 0 <= length <= MAX_LENGTH:
        raise ValueError(f"a list of {length} elements, where 0 to {MAX_LENGTH} are possible")


@op("list_length", exact=True)
def list_length(ls: TensorList) -> Tensor:
    """The number of elements, int32."""
    return torch.tensor(len(ls.elements), dtype=torch.int32)


@op("list_read", exact=True)
def list_read(ls: TensorList, index: int) -> Tensor:
    """The element at `index`; zeros where it was never written."""
    return _element(ls, _inside(ls, index))


@op("list_write", exact=True)
def list_write(ls: TensorList, index: int, value: Tensor) -> TensorList:
    """The list with `value` at `index`; a dynamic one grows to hold it."""
    return _written(ls, {index: value})


@op("list_gather", exact=True)
def list_gather(ls: TensorList, indices: tuple[int, ...]) -> Tensor:
    """The elements at `indices`, stacked along a new first axis."""
    if not indices:
        shape = [size if size is not None else 0 for size in ls.element.shape]
        return torch.zeros([0, *shape], dtype=CARRIERS[ls.element.dtype])
    check_size("list_gather", (len(indices), *_shape(ls, _inside(ls, indices[0]))))
    return torch.stack([_element(ls, _inside(ls, index)) for index in indices])


@op("list_scatter", exact=True)
def list_scatter(ls: TensorList, indices: tuple[int, ...], value: Tensor) -> TensorList:
    """The list with `value[i]` at `indices[i]`; a dynamic one grows to hold them."""
    if len(indices) != len(value):
        raise ValueError(f"{len(value)} values for {len(indices)} indices")
    return _written(ls, dict(zip(indices, value.unbind(0), strict=True)))


def _written(ls: TensorList, updates: dict[int, Tensor]) -> TensorList:
    elements = list(ls.elements)
    for index, value in updates.items():
        place = index + len(elements) if index < 0 else index
        if place >= len(elements) and ls.dynamic:
            _check_length(place + 1)
            elements += [None] * (place + 1 - len(elements))
        elements[place] = value
    return TensorList(element=ls.element, elements=tuple(elements), dynamic=ls.dynamic)


def _inside(ls: TensorList, index: int) -> int:
    if not -len(ls.elements) <= index < len(ls.elements):
        raise IndexError(f"index {index} into a list of {len(ls.elements)}")
    return index


def _element(ls: TensorList, index: int) -> Tensor:
    element = ls.elements[index]
    if element is not None:
        return element
    shape = _shape(ls, index)
    check_size("an element of a list", shape)
    return torch.zeros(shape, dtype=CARRIERS[ls.element.dtype])


def _shape(ls: TensorList, index: int) -> list[int]:
    """Of the element at `index`; where it was never written, of any that was, or as declared."""
    known = next((item.shape for item in (ls.elements[index], *ls.elements) if item is not None), None)
    return list(known) if known is not None else [size if size is not None else 0 for size in ls.element.shape]
