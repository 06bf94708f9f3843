"""Convolution, transposed convolution and convolution with quantized weights, in one to three dimensions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tinyml.errors import PackageError

from ..program.limits import check_size
from . import depthwise, kernels
from .kernels import Prepared
from .registry import op
from .samples import by_image
from .windows import PAD_TYPES, are_equal, check_windows, pad_spatial, spatial_padding

_CONV: dict[int, Callable[..., Tensor]] = {3: torch.conv1d, 4: torch.conv2d, 5: torch.conv3d}
_CONV_TRANSPOSE: dict[int, Callable[..., Tensor]] = {
    3: torch.conv_transpose1d,
    4: torch.conv_transpose2d,
    5: torch.conv_transpose3d,
}


def _prepared_convolution(
    weight: Tensor,
    bias: Tensor | None,
    strides: tuple[int, ...] | None,
    pad_type: str,
    pad: tuple[int, ...] | None,
    dilations: tuple[int, ...] | None,
    groups: int,
) -> Prepared | None:
    if weight.dim() != 4:
        return None
    strides, dilations = strides or (1, 1), dilations or (1, 1)
    padding = _even_padding(pad_type, pad, weight, strides, dilations)
    if padding is None:
        return None
    made = kernels.convolution(weight, bias, padding, strides, dilations, groups)
    each = 1 < groups == weight.shape[0] and weight.shape[1] == 1
    if made is None and each and kernels.suits(weight, bias, padding, strides, dilations, groups):
        return depthwise.convolution(weight, bias, padding, strides, dilations)
    return made


def _even_padding(
    pad_type: str, pad: tuple[int, ...] | None, weight: Tensor, strides: tuple[int, ...], dilations: tuple[int, ...]
) -> tuple[int, ...] | None:
    """The padding of both axes where it is the same before and after, whatever the input's size; None otherwise."""
    if pad_type == "valid":
        return (0, 0)
    if pad_type == "custom" and pad is not None and len(pad) == 4 and pad[0::2] == pad[1::2]:
        return tuple(pad[0::2])
    reach = [(size - 1) * dilation for size, dilation in zip(weight.shape[2:], dilations, strict=True)]
    if pad_type in ("same", "same_lower") and tuple(strides) == (1, 1) and all(size % 2 == 0 for size in reach):
        return tuple(size // 2 for size in reach)
    return None


@op("conv", fresh=True, samples=by_image, prepared=_prepared_convolution)
def conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    strides: tuple[int, ...] | None = None,
    pad_type: str = "valid",
    pad: tuple[int, ...] | None = None,
    dilations: tuple[int, ...] | None = None,
    groups: int = 1,
) -> Tensor:
    """Correlates x [n, C_in, *D] with weight [C_out, C_in / groups, *K]; `same_lower` came with iOS16.

    Raises:
        PackageError: `x` is not of rank 3 to 5, or `pad_type` is unknown.
    """
    rank = x.dim()
    if rank not in _CONV:
        raise PackageError("conv of an input of rank", value=rank, allowed="3, 4, 5")
    check_windows("conv", x, weight.shape[0], strides, pad if pad_type.lower() == "custom" else None, dilations)
    plain: int | tuple[int, ...] | None = None  # the common cases, which take no arithmetic
    if pad_type == "valid":
        plain = 0
    elif pad_type == "custom" and pad is not None and pad[0::2] == pad[1::2]:
        plain = pad[0::2]
    if plain is not None:
        return _CONV[rank](x, weight, bias, strides or 1, plain, dilations or 1, groups)
    ones = (1,) * (rank - 2)
    strides, dilations = strides or ones, dilations or ones
    extents = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], dilations, strict=True)]
    before, after = spatial_padding(pad_type, pad, x.shape[2:], extents, strides)
    if not are_equal(before, after):
        x = pad_spatial(x, before, after)
        before = [0] * (rank - 2)
    return _CONV[rank](x, weight, bias, strides, before, dilations, groups)


@op("conv_quantized", samples=by_image)
def conv_quantized(
    x: Tensor,
    weight: Tensor,
    quantization_type: str,
    quant_scale: Tensor,
    quant_bias: Tensor,
    bias: Tensor | None = None,
    nbits: int = 8,
    strides: tuple[int, ...] | None = None,
    pad_type: str = "valid",
    pad: tuple[int, ...] | None = None,
    dilations: tuple[int, ...] | None = None,
    groups: int = 1,
) -> Tensor:
    """A `conv` whose weight is `weight * quant_scale + quant_bias`; an experimental op that no converter writes.

    Raises:
        PackageError: `quantization_type` is not "linear"; the op's page does not say where a table would stand.
    """
    if quantization_type != "linear" or not 1 <= nbits <= 8:
        raise PackageError("conv_quantized", value=f"{quantization_type}, {nbits} bits", allowed="linear, 1 to 8 bits")
    weight = weight.to(x.dtype) * _by_output(quant_scale, weight) + _by_output(quant_bias, weight)
    if bias is not None:
        bias = bias.to(x.dtype)
    result: Tensor = conv(x, weight, bias, strides, pad_type, pad, dilations, groups)
    return result


def _by_output(parameter: Tensor, weight: Tensor) -> Tensor:
    """A scalar or a vector over the output channels, shaped to multiply `weight`."""
    return parameter.reshape(-1, *[1] * (weight.dim() - 1)) if parameter.dim() == 1 else parameter


@op("conv_transpose", fresh=True, samples=by_image)
def conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    pad: tuple[int, ...] | None = None,
    output_shape: tuple[int, ...] | None = None,
    pad_type: str = "valid",
    strides: tuple[int, ...] | None = None,
    dilations: tuple[int, ...] | None = None,
    groups: int = 1,
) -> Tensor:
    """The gradient of `conv`: spreads x [n, C_in, *D] through weight [C_in, C_out / groups, *K].

    Each dimension has its full extent, `(D - 1) * stride + (K - 1) * dilation + 1`, of which `pad` is cut off;
    `same` leaves `D * stride`, and an `output_shape` says how much is left. What it asks for beyond the full extent
    holds the bias alone. An odd amount that `same` cuts off takes its extra element from the end.

    Raises:
        PackageError: `x` is not of rank 3 to 5, or `pad_type` is unknown.
    """
    rank = x.dim()
    if rank not in _CONV_TRANSPOSE:
        raise PackageError("conv_transpose of an input of rank", value=rank, allowed="3, 4, 5")
    ones = (1,) * (rank - 2)
    strides, dilations = strides or ones, dilations or ones
    check_windows("conv_transpose", x, weight.shape[1], None, None, dilations)
    kind = pad_type.lower()
    if kind not in PAD_TYPES:
        raise PackageError("unknown pad_type", value=pad_type, allowed=", ".join(PAD_TYPES))
    full = [
        (size - 1) * stride + (kernel - 1) * dilation + 1
        for size, kernel, stride, dilation in zip(x.shape[2:], weight.shape[2:], strides, dilations, strict=True)
    ]
    check_size("conv_transpose", (x.shape[0], weight.shape[1] * groups, *full))
    if output_shape is not None:
        check_size("conv_transpose", output_shape)
    starts, extras = [], []  # where the result begins in the full extent, how far it reaches beyond [start, -start)
    for i, (kernel, stride, dilation) in enumerate(zip(weight.shape[2:], strides, dilations, strict=True)):
        extent = (kernel - 1) * dilation + 1
        beyond = None if output_shape is None else output_shape[2 + i] - full[i]
        start = extra = 0
        if kind == "custom" and pad is not None:
            start, extra = pad[2 * i], pad[2 * i] - pad[2 * i + 1]
        elif kind in ("same", "same_lower"):
            cut = max(0, extent - stride if beyond is None else -beyond)
            start = cut // 2 if kind == "same" else cut - cut // 2
            extra = stride - extent + 2 * start
        starts.append(start)
        extras.append(extra if beyond is None else beyond + 2 * start)
    spread = _CONV_TRANSPOSE[rank]
    if all(e == 0 or 0 < e < max(s, d) for e, s, d in zip(extras, strides, dilations, strict=True)):
        return spread(x, weight, bias, strides, starts, extras, groups, dilations)
    # torch takes no more than that: here the full extent is cut, or continued with zeros.
    zeros = [0] * len(ones)
    result = spread(x, weight, None, strides, zeros, zeros, groups, dilations)
    result = pad_spatial(
        result, [-start for start in starts], [extra - start for extra, start in zip(extras, starts, strict=True)]
    )
    return result if bias is None else result + bias.reshape(-1, *ones)
