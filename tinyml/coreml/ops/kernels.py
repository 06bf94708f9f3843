"""oneDNN's convolution and linear layer, with their weights brought into the order of its kernels once.

At batch 1 oneDNN spends most of a small convolution on reordering its weights, at every call; torch's compiler does it
once (`torch._inductor.fx_passes.mkldnn_fusion`), and so does this. Its kernels are fastest where the channels lie
innermost in memory (`torch.channels_last`), and can apply an activation before they store a value.

Which order is the fastest depends on the input's size: without it oneDNN may choose one for which it has no fast kernel
on a processor without AVX-512 (50 times slower, measured). So the weights are ordered when the first input comes, and
`faster.py` holds the result against torch's own kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from .faster import Faster, Kernel


@dataclass(frozen=True, kw_only=True)
class Activation:
    """oneDNN's name of an activation, and of its approximation; torch's function of it."""

    name: str
    algorithm: str = ""
    function: Callable[[Tensor], Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """The activation of `x`, by torch."""
        return x if self.function is None else self.function(x)


Prepared = Callable[[Activation], Kernel]
"""Makes the kernel that applies an activation before it stores a value."""

PLAIN = Activation(name="none")


def available() -> bool:
    """Whether this torch has these kernels, and may use them."""
    return (
        torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and torch._C._get_mkldnn_enabled()
        and hasattr(torch._C._nn, "mkldnn_reorder_conv2d_weight")
        and all(
            hasattr(torch.ops.mkldnn, name)
            for name in ("_convolution_pointwise", "_linear_pointwise", "_reorder_linear_weight")
        )
    )


MAX_REACH = 2**8
"""Greater strides, dilations and paddings are left to torch."""


def suits(
    weight: Tensor,
    bias: Tensor | None,
    padding: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    groups: int,
) -> bool:
    """Whether this is a sound convolution: torch refuses what makes no sense, where oneDNN would end the process."""
    return (
        _suit(weight, bias)
        and len(padding) == len(strides) == len(dilations) == 2
        and 1 <= groups <= weight.shape[0]
        and weight.shape[0] % groups == 0
        and all(0 <= size <= MAX_REACH for size in padding)
        and all(1 <= size <= MAX_REACH for size in (*strides, *dilations))
    )


def convolution(
    weight: Tensor,
    bias: Tensor | None,
    padding: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    groups: int,
) -> Prepared | None:
    """A two-dimensional convolution by an activation to follow it; weight [C_out, C_in / groups, H, W].

    None where there is no oneDNN, or where the arguments do not suit.
    """
    if not available() or not suits(weight, bias, padding, strides, dilations, groups):
        return None
    plain, values = weight.detach(), None if bias is None else bias.detach()
    run = torch.ops.mkldnn._convolution_pointwise.default
    shape, channels = list(weight.shape), weight.shape[1] * groups

    def followed_by(activation: Activation) -> Kernel:
        name, algorithm = activation.name, activation.algorithm

        def simple(weight: Tensor) -> Kernel:
            def convolve(x: Tensor) -> Tensor:
                found = torch.conv2d(x.contiguous(), weight, values, strides, padding, dilations, groups)
                return activation(found)

            return convolve

        def order(weight: Tensor, size: torch.Size) -> Tensor:
            ordered: Tensor = torch._C._nn.mkldnn_reorder_conv2d_weight(
                weight.to_mkldnn(),
                list(padding),
                list(strides),
                list(dilations),
                groups,
                list(size),  # type: ignore[call-arg]  # torch's stub lacks it
            )
            return ordered

        def prepared(ordered: Tensor) -> Kernel:
            def convolve(x: Tensor) -> Tensor:
                x = x.contiguous(memory_format=torch.channels_last)
                result: Tensor = run(x, ordered, values, padding, strides, dilations, groups, name, [], algorithm)
                return result

            return convolve

        def check(x: Tensor) -> None:
            if x.dim() != 4 or x.shape[1] != channels:
                raise ValueError(f"an input of shape {list(x.shape)} for weights of shape {shape}")

        geometry = ("conv", *shape, *padding, *strides, *dilations, groups, name, algorithm)
        return Faster(plain, geometry=geometry, check=check, simple=simple, order=order, prepared=prepared)

    return followed_by


def linear(weight: Tensor, bias: Tensor | None) -> Prepared | None:
    """A linear layer by an activation to follow it; weight [D_out, D_in], bias [D_out]; None where they do not suit."""
    if not available() or not _suit(weight, bias):
        return None
    plain, values = weight.detach(), None if bias is None else bias.detach()
    run = torch.ops.mkldnn._linear_pointwise.default
    shape = list(weight.shape)

    def followed_by(activation: Activation) -> Kernel:
        name, algorithm = activation.name, activation.algorithm

        def simple(weight: Tensor) -> Kernel:
            def project(x: Tensor) -> Tensor:
                return activation(torch.nn.functional.linear(x.to(torch.float32), weight, values))

            return project

        def order(weight: Tensor, size: torch.Size) -> Tensor:
            ordered: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight, prod(size[:-1]))
            return ordered

        def prepared(ordered: Tensor) -> Kernel:
            def project(x: Tensor) -> Tensor:
                result: Tensor = run(x.to(torch.float32), ordered, values, name, [], algorithm)
                return result

            return project

        def check(x: Tensor) -> None:
            if x.dim() == 0 or x.shape[-1] != shape[1]:
                raise ValueError(f"an input of shape {list(x.shape)} for weights of shape {shape}")

        geometry = ("linear", *shape, name, algorithm)
        return Faster(plain, geometry=geometry, check=check, simple=simple, order=order, prepared=prepared)

    return followed_by


def _suit(weight: Tensor, bias: Tensor | None) -> bool:
    """Whether both are float32 and belong together."""
    return (
        weight.dtype is torch.float32
        and weight.numel() > 0
        and (bias is None or (bias.dtype is torch.float32 and bias.shape == weight.shape[:1]))
    )
