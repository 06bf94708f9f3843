"""Products of matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from . import vectorized
from .registry import op


@op("linear", fresh=True)
def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`x @ weight.T + bias`; x [*D, D_in], weight [D_out, D_in], bias [D_out].

    From iOS17 on the parameters may have another type than `x`, whose type the result has.
    """
    if x.is_floating_point():
        if weight.dtype is not x.dtype:
            weight, bias = weight.to(x.dtype), None if bias is None else bias.to(x.dtype)
        return vectorized.linear(x, weight, bias)
    common = torch.promote_types(x.dtype, weight.dtype)
    result = torch.matmul(x.to(common), weight.T.to(common))
    return result if bias is None else result + bias


@op("matmul", fresh=True)
def matmul(x: Tensor, y: Tensor, transpose_x: bool = False, transpose_y: bool = False) -> Tensor:
    """The matrix product over the last two dimensions, broadcast over the others; vectors as in numpy."""
    if x.dtype != y.dtype:
        common = torch.promote_types(x.dtype, y.dtype)
        x, y = x.to(common), y.to(common)
    if transpose_x and x.dim() > 1:
        x = x.mT
    if transpose_y and y.dim() > 1:
        y = y.mT
    return torch.matmul(x, y)


@op("einsum")
def einsum(values: tuple[Tensor, ...], equation: str) -> Tensor:
    """Einstein's sum; dimensions of size 1 are broadcast.

    MIL writes "nchw,nwhu->nchu" and "chw,whr->chr" in any letters; any other equation works too.
    """
    result: Tensor = torch.einsum(equation, *values)
    return result
