"""Affine quantization of activations to 8 bits and back; with one scale, or one for each index of an axis."""

from __future__ import annotations

import torch
from torch import Tensor

from tinyml.errors import PackageError

from .registry import op
from .samples import Arguments, Axis, MixedSamplesError

_RANGES = {"int8": (-128, 127, torch.int8), "uint8": (0, 255, torch.uint8)}


def _quantized_samples(given: Arguments) -> tuple[Axis, ...]:
    axis, along = given.only("input"), given.constants["axis"]
    if along is not None and along % len(given.shape("input")) == axis:
        raise MixedSamplesError
    return (axis,)


@op("quantize", since="iOS17", exact=True, samples=_quantized_samples)
def quantize(
    input: Tensor,  # noqa: A002 (parameters are named as the op's inputs)
    scale: Tensor,
    output_dtype: str,
    zero_point: Tensor | None = None,
    axis: int | None = None,
) -> Tensor:
    """`clip(round(input / scale) + zero_point)`, halves rounded to the even number.

    Raises:
        PackageError: `output_dtype` is neither int8 nor uint8.
    """
    if output_dtype not in _RANGES:
        raise PackageError("quantize to an unknown type", value=output_dtype, allowed=", ".join(_RANGES))
    low, high, storage = _RANGES[output_dtype]
    levels = torch.round(input / _along(scale, input, axis))
    if zero_point is not None:
        levels = levels + _along(zero_point, input, axis)
    return levels.clamp(low, high).to(storage)


@op("dequantize", since="iOS17", samples=_quantized_samples)
def dequantize(
    input: Tensor,  # noqa: A002 (parameters are named as the op's inputs)
    scale: Tensor,
    zero_point: Tensor | None = None,
    axis: int | None = None,
) -> Tensor:
    """`scale * (input - zero_point)`."""
    levels = input.to(torch.float32)
    if zero_point is not None:
        levels = levels - _along(zero_point, input, axis)
    return levels * _along(scale, input, axis)


def _along(parameter: Tensor, values: Tensor, axis: int | None) -> Tensor:
    """A vector shaped to run along `axis` of `values`; a scalar as it is."""
    if parameter.dim() == 0 or axis is None:
        return parameter
    shape = [1] * values.dim()
    shape[axis] = -1
    return parameter.reshape(shape)
