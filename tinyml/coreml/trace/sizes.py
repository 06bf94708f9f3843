"""Sizes computed from sizes, kept as numbers and symbols while a program is traced.

A program computes shapes as it computes anything else: `shape`, `gather`, `mul`, `concat`, and at last a `reshape`. In
a trace these tensors would lose what they are made of, and a size read from one would be a constant. So small tensors
whose elements are known (constants, shapes, and what is computed from both) are carried as arrays of integers and
torch's symbols, and become tensors only where an op wants one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch.fx.experimental.symbolic_shapes import statically_known_true

MAX_ELEMENTS = 64
"""Larger constants are data, not sizes."""


class NotASizeError(Exception):
    """What was asked for has no exact form in integers; the op is computed on tensors instead."""


@dataclass(frozen=True, eq=False)
class Ratio:
    """A fraction of two sizes: what a program gets by dividing or scaling them in floating point."""

    top: Any
    bottom: Any = 1

    def __mul__(self, other: Any) -> Ratio:
        b = ratio(other)
        return Ratio(self.top * b.top, self.bottom * b.bottom)

    def __truediv__(self, other: Any) -> Ratio:
        b = ratio(other)
        return Ratio(self.top * b.bottom, self.bottom * b.top)

    def __add__(self, other: Any) -> Ratio:
        b = ratio(other)
        return Ratio(self.top * b.bottom + b.top * self.bottom, self.bottom * b.bottom)

    def __sub__(self, other: Any) -> Ratio:
        b = ratio(other)
        return Ratio(self.top * b.bottom - b.top * self.bottom, self.bottom * b.bottom)

    __rmul__ = __mul__
    __radd__ = __add__

    def __rsub__(self, other: Any) -> Ratio:
        return ratio(other) - self

    def __rtruediv__(self, other: Any) -> Ratio:
        return ratio(other) / self

    def floor(self) -> Any:
        """Rounded down."""
        return self.top // self.bottom

    def ceil(self) -> Any:
        """Rounded up; sizes are not negative."""
        return (self.top + self.bottom - 1) // self.bottom


def ratio(value: Any) -> Ratio:
    """`value` as a ratio; a float32 as the simplest fraction that rounds to it (0.7 is 7/10)."""
    if isinstance(value, Ratio):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotASizeError
        exact = Fraction(value).limit_denominator(4096)
        if np.float32(exact.numerator / exact.denominator) != np.float32(value):
            raise NotASizeError
        return Ratio(exact.numerator, exact.denominator)
    return Ratio(value)


class Numbers:
    """A small tensor whose elements are known: `array` holds int, bool, float, `torch.SymInt` or Ratio."""

    def __init__(self, array: Any, dtype: torch.dtype, made: torch.Tensor | None = None) -> None:
        """`made`: the tensor itself, where there is one already."""
        self.array = _objects(array)
        self.dtype = dtype
        self._made = made

    def tensor(self) -> torch.Tensor:
        """The tensor that these numbers make."""
        if self._made is None:
            elements = [_element(item, self.dtype) for item in self.array.reshape(-1)]
            made = torch.stack(elements) if elements else torch.zeros(0, dtype=self.dtype)
            self._made = made.reshape(self.array.shape)
        return self._made

    def items(self) -> list[Any]:
        """The elements in row-major order, as an op takes sizes; raises NotASizeError for a fraction."""
        if any(isinstance(item, Ratio) for item in self.array.reshape(-1)):
            raise NotASizeError
        return list(self.array.reshape(-1))


def _objects(array: Any) -> np.ndarray:
    if isinstance(array, np.ndarray) and array.dtype == object:
        return array
    if isinstance(array, np.ndarray):
        return array.astype(object)
    made = np.empty((), dtype=object)
    made[()] = array
    return made


def _element(item: Any, dtype: torch.dtype) -> torch.Tensor:
    if isinstance(item, Ratio):
        top, bottom = (torch.scalar_tensor(part, dtype=torch.float32) for part in (item.top, item.bottom))
        return top / bottom
    return torch.scalar_tensor(item, dtype=dtype)


def vector(items: Any) -> np.ndarray:
    """One axis of objects."""
    items = list(items)
    made = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        made[place] = item
    return made


def constant(value: torch.Tensor) -> Numbers | None:
    """The numbers of a constant; None where it is too large to be sizes."""
    if value.numel() > MAX_ELEMENTS or isinstance(value, torch.nn.Parameter):
        return None
    return Numbers(value.detach().numpy().astype(object), value.dtype, value)


def each(function: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """`function` of numbers, on arrays that broadcast."""

    def apply(*arrays: Any) -> np.ndarray:
        broadcast = np.broadcast_arrays(*arrays)
        made = np.empty(broadcast[0].shape, dtype=object)
        for place in np.ndindex(made.shape):
            made[place] = function(*(array[place] for array in broadcast))
        return made

    return apply


def _both(function: Callable[[Any, Any], Any]) -> Callable[..., np.ndarray]:
    return lambda x, y: each(function)(x, y)


def _one(function: Callable[[Any], Any]) -> Callable[..., np.ndarray]:
    return lambda x: each(function)(x)


def _number(value: Any) -> Any:
    return ratio(value) if isinstance(value, float) else value


def _arithmetic(function: Callable[[Any, Any], Any]) -> Callable[..., np.ndarray]:
    return _both(lambda a, b: function(_number(a), _number(b)))


def _whole(value: Any) -> Any:
    if isinstance(value, (Ratio, float)):
        raise NotASizeError
    return value


def _integers(function: Callable[[Any, Any], Any]) -> Callable[..., np.ndarray]:
    return _both(lambda a, b: function(_whole(a), _whole(b)))


def _divided(a: Any, b: Any) -> Any:
    if isinstance(a, (Ratio, float)) or isinstance(b, (Ratio, float)):
        return ratio(a) / b
    return _floor_div(a, b)  # sizes are not negative, where the quotient would be rounded the other way


def _floor_div(a: Any, b: Any) -> Any:
    if isinstance(a, (Ratio, float)) or isinstance(b, (Ratio, float)):
        return Ratio((ratio(a) / b).floor())
    if type(b) is int and b == 0:
        return 0
    return a // b


def _cast(x: np.ndarray, dtype: str) -> np.ndarray:
    if dtype in ("fp16", "fp32"):
        return each(ratio)(x)
    if dtype == "bool":
        return each(lambda item: _whole(item) != 0)(x)
    return each(lambda item: ratio(item).floor() if isinstance(item, (Ratio, float)) else item + 0)(x)


def _gather(x: np.ndarray, indices: np.ndarray, axis: int = 0, batch_dims: int = 0, **_: Any) -> np.ndarray:
    if batch_dims:
        raise NotASizeError
    return np.asarray(np.take(x, indices.astype(np.int64), axis=axis), dtype=object)


def _concat(values: tuple[np.ndarray, ...], axis: int, interleave: bool = False) -> np.ndarray:
    if interleave:
        raise NotASizeError
    if values[0].ndim == 0:
        return vector(item[()] for item in values)
    return np.concatenate(values, axis=axis)


def _expand(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return np.expand_dims(x, tuple(axes))


def _squeeze(x: np.ndarray, axes: tuple[int, ...] | None = None) -> np.ndarray:
    return np.squeeze(x) if axes is None else np.squeeze(x, tuple(axes))


def _slice(
    x: np.ndarray,
    begin: tuple[int, ...],
    end: tuple[int, ...],
    stride: tuple[int, ...] | None = None,
    begin_mask: tuple[bool, ...] | None = None,
    end_mask: tuple[bool, ...] | None = None,
    squeeze_mask: tuple[bool, ...] | None = None,
) -> np.ndarray:
    index: list[Any] = []
    for axis in range(x.ndim):
        first = None if begin_mask and begin_mask[axis] else begin[axis]
        last = None if end_mask and end_mask[axis] else end[axis]
        if squeeze_mask and squeeze_mask[axis]:
            index.append(first or 0)
        else:
            index.append(slice(first, last, stride[axis] if stride else 1))
    return _objects(x[tuple(index)])


def _slice_by_size(x: np.ndarray, begin: tuple[int, ...], size: tuple[int, ...]) -> np.ndarray:
    starts = [first + x.shape[axis] if first < 0 else first for axis, first in enumerate(begin)]
    return x[tuple(slice(a, None if n == -1 else a + n) for a, n in zip(starts, size, strict=True))]


def _range(end: Any, start: Any, step: Any) -> np.ndarray:
    if not all(type(item) is int for item in (end, start, step)):
        raise NotASizeError
    return vector(range(start, end, step))


def _split(x: np.ndarray, axis: int, num_splits: int | None = None, split_sizes: Any = None) -> tuple[np.ndarray, ...]:
    cuts: Any = num_splits if split_sizes is None else list(np.cumsum(split_sizes))[:-1]
    return tuple(np.split(x, cuts, axis=axis))


def _reduce(function: Callable[[Any, Any], Any], start: Any) -> Callable[..., np.ndarray]:
    def reduce(x: np.ndarray, axes: tuple[int, ...] | None = None, keep_dims: bool = False) -> np.ndarray:
        if axes is not None and x.ndim != len(axes):
            raise NotASizeError
        total = start
        for item in x.reshape(-1):
            total = item if total is None else function(total, item)
        made = _objects(total)
        return made.reshape((1,) * x.ndim) if keep_dims else made

    return reduce


def _reshape(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if not all(type(size) is int and size != 0 for size in shape):
        raise NotASizeError
    return x.reshape(shape)


def _fill(shape: tuple[int, ...], value: Any = None) -> np.ndarray:
    if not all(type(size) is int for size in shape) or math.prod(shape) > MAX_ELEMENTS:
        raise NotASizeError
    made = np.empty(tuple(shape), dtype=object)
    made[...] = 0.0 if value is None else value[()]
    return made


def _select(cond: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    def choose(condition: Any, first: Any, second: Any) -> Any:
        if isinstance(condition, torch.SymBool):
            raise NotASizeError
        return first if condition else second

    return each(choose)(cond, a, b)


def _settled(condition: Any) -> Any:
    """`condition` as a bool where the ranges of the symbols decide it: a size is never -1."""
    if isinstance(condition, torch.SymBool):
        if statically_known_true(condition):
            return True
        if statically_known_true(torch.sym_not(condition)):
            return False
    return condition


def _compare(function: Callable[[Any, Any], Any]) -> Callable[..., np.ndarray]:
    def compare(a: Any, b: Any) -> Any:
        if isinstance(a, (Ratio, float)) or isinstance(b, (Ratio, float)):
            x, y = ratio(a), ratio(b)
            a, b = x.top * y.bottom, y.top * x.bottom
        return _settled(function(a, b))

    return _both(compare)


RULES: dict[str, Callable[..., Any]] = {
    "add": _arithmetic(lambda a, b: a + b),
    "sub": _arithmetic(lambda a, b: a - b),
    "mul": _arithmetic(lambda a, b: a * b),
    "real_div": _both(_divided),
    "floor_div": _both(_floor_div),
    "mod": _integers(lambda a, b: a % b),
    "maximum": _integers(torch.sym_max),
    "minimum": _integers(torch.sym_min),
    "equal": _compare(lambda a, b: a == b),
    "not_equal": _compare(lambda a, b: a != b),
    "less": _compare(lambda a, b: a < b),
    "less_equal": _compare(lambda a, b: a <= b),
    "greater": _compare(lambda a, b: a > b),
    "greater_equal": _compare(lambda a, b: a >= b),
    "logical_and": _integers(lambda a, b: a & b),
    "logical_or": _integers(lambda a, b: a | b),
    "floor": _one(lambda item: Ratio(ratio(item).floor())),
    "ceil": _one(lambda item: Ratio(ratio(item).ceil())),
    "identity": lambda x: x,
    "cast": _cast,
    "select": _select,
    "gather": _gather,
    "concat": _concat,
    "stack": lambda values, axis: np.stack(values, axis=axis),
    "expand_dims": _expand,
    "squeeze": _squeeze,
    "reshape": _reshape,
    "slice_by_index": _slice,
    "slice_by_size": _slice_by_size,
    "split": _split,
    "range_1d": _range,
    "fill": _fill,
    "reduce_prod": _reduce(lambda a, b: _whole(a) * _whole(b), 1),
    "reduce_sum": _reduce(lambda a, b: _whole(a) + _whole(b), 0),
    "reduce_max": _reduce(lambda a, b: torch.sym_max(_whole(a), _whole(b)), None),
    "reduce_min": _reduce(lambda a, b: torch.sym_min(_whole(a), _whole(b)), None),
}
"""By op: its result from the numbers of its inputs, by the names of its parameters, or NotASizeError."""


def is_fixed(size: Any) -> bool:
    """Whether a size of a trace, which may be a symbol, can be but one number."""
    return not isinstance(size, torch.SymInt) or statically_known_true(size == size.node.hint)
