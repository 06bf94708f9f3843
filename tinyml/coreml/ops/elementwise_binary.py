"""Elementwise ops of two operands, broadcast as in numpy; integers stay integers and wrap around.

Division by an integer zero gives 0, as the processors that Core ML runs on have it.
"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

from ..program.limits import MAX_ELEMENTS, check_broadcast
from .registry import op
from .samples import broadcast


@op("add", fresh=True, samples=broadcast)
def add(x: Tensor, y: Tensor) -> Tensor:
    """`x + y`."""
    bounded("add", x, y)
    return x + y


@op("sub", fresh=True, samples=broadcast)
def sub(x: Tensor, y: Tensor) -> Tensor:
    """`x - y`."""
    bounded("sub", x, y)
    return x - y


@op("mul", fresh=True, samples=broadcast)
def mul(x: Tensor, y: Tensor) -> Tensor:
    """`x * y`."""
    bounded("mul", x, y)
    return x * y


@op("real_div", fresh=True, samples=broadcast)
def real_div(x: Tensor, y: Tensor) -> Tensor:
    """`x / y`; for integers the quotient without its fraction."""
    bounded("real_div", x, y)
    if _integers(x, y):
        return divided(x, y, "trunc")
    return x / y


@op("floor_div", samples=broadcast)
def floor_div(x: Tensor, y: Tensor) -> Tensor:
    """`x / y` rounded towards negative infinity."""
    bounded("floor_div", x, y)
    if _integers(x, y):
        return divided(x, y, "floor")
    return torch.div(x, y, rounding_mode="floor")


@op("mod", samples=broadcast)
def mod(x: Tensor, y: Tensor) -> Tensor:
    """The remainder of `floor_div`, which has the sign of `y`."""
    bounded("mod", x, y)
    if _integers(x, y):
        return torch.where(y == 0, 0, torch.remainder(x, torch.where(y == 0, 1, y)))
    return torch.remainder(x, y)


@op("pow", fresh=True, samples=broadcast)
def pow(x: Tensor, y: Tensor) -> Tensor:  # noqa: A001 (an op function is named as its op)
    """`x` to the power of `y`; of integers, with a negative `y`, what is left without the fraction."""
    bounded("pow", x, y)
    if not _integers(x, y):
        return torch.pow(x, y)
    whole = torch.pow(x, y.clamp(min=0))
    inverse = torch.where(x.abs() == 1, torch.pow(x, y.remainder(2)), 0)
    return torch.where(y < 0, inverse, whole)


@op("maximum", exact=True, samples=broadcast)
def maximum(x: Tensor, y: Tensor) -> Tensor:
    """The larger of `x` and `y`."""
    bounded("maximum", x, y)
    return torch.maximum(x, y)


@op("minimum", exact=True, samples=broadcast)
def minimum(x: Tensor, y: Tensor) -> Tensor:
    """The smaller of `x` and `y`."""
    bounded("minimum", x, y)
    return torch.minimum(x, y)


@op("equal", exact=True, samples=broadcast)
def equal(x: Tensor, y: Tensor) -> Tensor:
    """`x == y`, bool."""
    bounded("equal", x, y)
    return torch.eq(x, y)


@op("not_equal", exact=True, samples=broadcast)
def not_equal(x: Tensor, y: Tensor) -> Tensor:
    """`x != y`, bool."""
    bounded("not_equal", x, y)
    return torch.ne(x, y)


@op("greater", exact=True, samples=broadcast)
def greater(x: Tensor, y: Tensor) -> Tensor:
    """`x > y`, bool."""
    bounded("greater", x, y)
    return torch.gt(x, y)


@op("greater_equal", exact=True, samples=broadcast)
def greater_equal(x: Tensor, y: Tensor) -> Tensor:
    """`x >= y`, bool."""
    bounded("greater_equal", x, y)
    return torch.ge(x, y)


@op("less", exact=True, samples=broadcast)
def less(x: Tensor, y: Tensor) -> Tensor:
    """`x < y`, bool."""
    bounded("less", x, y)
    return torch.lt(x, y)


@op("less_equal", exact=True, samples=broadcast)
def less_equal(x: Tensor, y: Tensor) -> Tensor:
    """`x <= y`, bool."""
    bounded("less_equal", x, y)
    return torch.le(x, y)


@op("logical_and", exact=True, samples=broadcast)
def logical_and(x: Tensor, y: Tensor) -> Tensor:
    """`x` and `y`, bool."""
    bounded("logical_and", x, y)
    return torch.logical_and(x, y)


@op("logical_or", exact=True, samples=broadcast)
def logical_or(x: Tensor, y: Tensor) -> Tensor:
    """`x` or `y`, bool."""
    bounded("logical_or", x, y)
    return torch.logical_or(x, y)


@op("logical_xor", exact=True, samples=broadcast)
def logical_xor(x: Tensor, y: Tensor) -> Tensor:
    """Either `x` or `y` but not both, bool."""
    bounded("logical_xor", x, y)
    return torch.logical_xor(x, y)


def bounded(what: str, *tensors: Tensor) -> None:
    """Raises PackageError where `tensors`, broadcast against each other, have too many elements."""
    most = prod(tensor.numel() for tensor in tensors)
    if type(most) is not int or most > MAX_ELEMENTS:  # small ones, which are nearly all, are looked at no closer
        check_broadcast(what, *(tensor.shape for tensor in tensors))


def _integers(x: Tensor, y: Tensor) -> bool:
    return not (x.is_floating_point() or y.is_floating_point())


def divided(x: Tensor, y: Tensor, rounding_mode: str) -> Tensor:
    """The quotient of integers; 0 where `y` is 0. The least integer by -1 wraps, where torch would end the process."""
    quotient = torch.div(x, torch.where((y == 0) | (y == -1), 1, y), rounding_mode=rounding_mode)
    return torch.where(y == 0, 0, torch.where(y == -1, -x, quotient))
