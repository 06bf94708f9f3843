"""Products of matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from ..program.limits import check_broadcast
from . import kernels, vectorized
from .kernels import Prepared
from .registry import op
from .samples import Arguments, Axis, MixedSamplesError, common_from_end


def _linear_samples(given: Arguments) -> tuple[Axis, ...]:
    axis = given.only("x")
    if axis == len(given.shape("x")) - 1:
        raise MixedSamplesError
    return (axis,)


def _prepared_linear(weight: Tensor, bias: Tensor | None) -> Prepared | None:
    return kernels.linear(weight, bias) if weight.dim() == 2 else None


@op("linear", fresh=True, samples=_linear_samples, prepared=_prepared_linear)
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


def _matmul_samples(given: Arguments) -> tuple[Axis, ...]:
    x, y = given.shape("x"), given.shape("y")
    rank = max(len(x), len(y))
    if len(x) < 2 or len(y) < 2:
        raise MixedSamplesError
    if given.axis("y") is None and given.axis("x") == len(x) - 2 and not given.constants["transpose_x"]:
        return (rank - 2,)  # rows of the left matrix are rows of the product
    from_end = common_from_end(given.all_tensors)
    if from_end >= -2:
        raise MixedSamplesError
    return (rank + from_end,)


@op("matmul", fresh=True, samples=_matmul_samples)
def matmul(x: Tensor, y: Tensor, transpose_x: bool = False, transpose_y: bool = False) -> Tensor:
    """The matrix product over the last two dimensions, broadcast over the others; vectors as in numpy."""
    if x.dtype != y.dtype:
        common = torch.promote_types(x.dtype, y.dtype)
        x, y = x.to(common), y.to(common)
    if transpose_x and x.dim() > 1:
        x = x.mT
    if transpose_y and y.dim() > 1:
        y = y.mT
    if x.dim() > 1 and y.dim() > 1:
        check_broadcast("matmul", x.shape[:-2], y.shape[:-2], rest=(x.shape[-2], y.shape[-1]))
    return torch.matmul(x, y)


def _einsum_samples(given: Arguments) -> tuple[Axis, ...]:
    """The samples' letter must be in the output, and in no operand that is the same for all samples."""
    tensors, equation = given.tensors["values"], given.constants["equation"].replace(" ", "")
    terms, arrow, output = equation.partition("->")
    operands = terms.split(",")
    if not arrow or "." in terms or len(operands) != len(tensors):
        raise MixedSamplesError
    pairs = [(term, tensor.axis) for term, tensor in zip(operands, tensors, strict=True)]
    letters = {term[axis] for term, axis in pairs if axis is not None}
    if len(letters) != 1:
        raise MixedSamplesError
    (letter,) = letters
    if output.count(letter) != 1 or any(term.count(letter) != (axis is not None) for term, axis in pairs):
        raise MixedSamplesError
    return (output.index(letter),)


@op("einsum", samples=_einsum_samples)
def einsum(values: tuple[Tensor, ...], equation: str) -> Tensor:
    """Einstein's sum; dimensions of size 1 are broadcast.

    MIL writes "nchw,nwhu->nchu" and "chw,whr->chr" in any letters; any other equation works too.
    """
    result: Tensor = torch.einsum(equation, *values)
    return result
