"""Depthwise convolutions on a CPU, where oneDNN is slow in bfloat16, and where a kernel is larger than its map."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class DepthwiseConv2d(nn.Conv2d):
    """A convolution of each channel with a square kernel of its own; "same"-padded, of odd size.

    The same values and state as `nn.Conv2d`. Two things differ on a CPU. It stays in float32 where the rest is computed
    in fewer bits, for which oneDNN has no fast code here: EfficientNet-B0 trains in bfloat16 no faster than in float32
    with these in bfloat16 too, and 1.3 to 1.7 times as fast without (32 to 64 pixels, AVX-512 with bfloat16). And the
    kernel's gradient is computed here where the kernel is larger than the output, as in the last stages of networks at
    64x64: oneDNN then has no fast code either (5x5 on 4x4: 36 against 4 ms, AVX2), while most of the kernel lies on the
    padding and costs nothing if it is left out.
    """

    def __init__(self, channels: int, kernel: int, *, stride: int = 1, bias: bool = True) -> None:
        super().__init__(channels, channels, kernel, stride=stride, padding=kernel // 2, groups=channels, bias=bias)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """[N, channels, H, W] to [N, channels, ceil(H / stride), ceil(W / stride)]; on a CPU in float32."""
        if input.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return self.forward(input.float())
        kernel, stride = self.kernel_size[0], self.stride[0]
        largest = (max(input.shape[2:]) - 1) // stride + 1
        by_hand = (
            self.training
            and torch.is_grad_enabled()
            and input.device.type == "cpu"
            and input.dtype == self.weight.dtype == torch.float32
            and not torch.compiler.is_compiling()
            and largest < kernel
        )
        if not by_hand:
            return super().forward(input)
        output: Tensor = _Overlapping.apply(input, self.weight, stride)
        return output if self.bias is None else output + self.bias[:, None, None]


class _Overlapping(torch.autograd.Function):
    """A depthwise convolution; the kernel's gradient from where kernel and image overlap."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, kernels: Tensor, stride: int) -> Tensor:
        """Images [N, C, H, W], kernels [C, 1, K, K]; [N, C, H', W']."""
        ctx.save_for_backward(images, kernels)
        ctx.stride = stride
        return nn.functional.conv2d(images, kernels, None, stride, kernels.shape[-1] // 2, 1, kernels.shape[0])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """The gradients of images and kernels from the output's [N, C, H', W']."""
        images, kernels = ctx.saved_tensors
        stride, padding = ctx.stride, kernels.shape[-1] // 2
        of_images = None
        if ctx.needs_input_grad[0]:
            of_images = torch.ops.aten.convolution_backward(
                gradient, images, kernels, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], len(kernels),
                [True, False, False],
            )[0]  # fmt: skip
        of_kernels = _kernel_gradient(images, gradient, kernels, stride) if ctx.needs_input_grad[1] else None
        return of_images, of_kernels, None


def _kernel_gradient(images: Tensor, gradient: Tensor, kernels: Tensor, stride: int) -> Tensor:
    """[C, 1, K, K]: for each place of the kernel the products of gradient and pixels that meet there, summed."""
    size = kernels.shape[-1]
    pixels, wanted = images.permute(0, 2, 3, 1), gradient.permute(0, 2, 3, 1)
    summed = torch.zeros(size, size, kernels.shape[0])
    columns = [_meeting(pixels.shape[2], wanted.shape[2], column - size // 2, stride) for column in range(size)]
    for row in range(size):
        rows_in, rows_out = _meeting(pixels.shape[1], wanted.shape[1], row - size // 2, stride)
        for column, (columns_in, columns_out) in enumerate(columns):
            met = pixels[:, rows_in, columns_in] * wanted[:, rows_out, columns_out]
            summed[row, column] = met.sum((0, 1, 2))
    return summed.permute(2, 0, 1)[:, None]


def _meeting(inputs: int, outputs: int, offset: int, stride: int) -> tuple[slice, slice]:
    """Of input and output along one axis: what meets where output `i` sees input `i * stride + offset`."""
    first = max(0, -(offset // stride))
    last = min(outputs - 1, (inputs - 1 - offset) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    begin = first * stride + offset
    return slice(begin, begin + (last - first) * stride + 1, stride), slice(first, last + 1)
