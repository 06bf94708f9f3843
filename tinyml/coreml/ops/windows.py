"""Where the windows of convolutions and pools lie: padding by `pad_type`, and its application.

Source: the `conv` and `avg_pool` pages of the MIL op reference, and TensorFlow's definition of SAME padding, which
`same` reproduces (an odd amount puts the extra element at the end; `same_lower` puts it at the beginning).

Sizes may be symbols while a program is traced with open shapes, so nothing here branches on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tinyml.errors import PackageError

from ..program.limits import check_size

PAD_TYPES = ("valid", "same", "same_lower", "custom")


MAX_EXTENT = 2**20
"""Greater strides, dilations and paddings are refused; oneDNN would hang at them, or end the process."""


def check_windows(
    what: str,
    x: Tensor,
    channels: int,
    strides: Sequence[int] | None,
    pad: Sequence[int] | None,
    dilations: Sequence[int] | None,
) -> None:
    """Raises PackageError where windows over x [n, C, *D] are absurd, or too many for `channels` results of each."""
    for amount in (*(strides or ()), *(pad or ()), *(dilations or ())):
        if type(amount) is int and amount > MAX_EXTENT:
            allowed = f"at most {MAX_EXTENT}"
            raise PackageError(f"{what} with an absurd stride, padding or dilation", value=amount, allowed=allowed)
    if pad is not None and len(pad) == 2 * (x.dim() - 2):
        steps = strides or (1,) * (x.dim() - 2)
        sizes = zip(x.shape[2:], pad[0::2], pad[1::2], steps, strict=False)
        check_size(what, (x.shape[0], channels, *((size + b + a) // max(1, step) for size, b, a, step in sizes)))


def spatial_padding(
    pad_type: str,
    pad: Sequence[int] | None,
    sizes: Sequence[int],
    extents: Sequence[int],
    strides: Sequence[int],
) -> tuple[list[int], list[int]]:
    """How many elements to add before and after each spatial dimension.

    Args:
        pad_type: one of PAD_TYPES, in any case.
        pad: before and after for each dimension in turn; used by "custom" alone, None for none.
        sizes: the input's spatial sizes.
        extents: how far a window reaches in each dimension: `(kernel - 1) * dilation + 1`.
        strides: the step from one window to the next.

    Returns:
        the amounts before, the amounts after.

    Raises:
        PackageError: MIL has no such `pad_type`.
    """
    kind = pad_type.lower()
    rank = len(extents)
    if kind == "valid" or (kind == "custom" and pad is None):
        return [0] * rank, [0] * rank
    if kind == "custom" and pad is not None:
        return list(pad[0::2]), list(pad[1::2])
    if kind not in PAD_TYPES:
        raise PackageError("unknown pad_type", value=pad_type, allowed=", ".join(PAD_TYPES))
    before, after = [], []
    for size, extent, stride in zip(sizes, extents, strides, strict=True):
        # With a stride of 1 the amount does not depend on the size.
        total = extent - 1 if stride == 1 else larger(0, (quotient_up(size, stride) - 1) * stride + extent - size)
        small, large = total // 2, total - total // 2
        before.append(small if kind == "same" else large)
        after.append(large if kind == "same" else small)
    return before, after


def quotient_up(a: int, b: int) -> int:
    """`a / b` rounded up, for `a >= 0`; with no negative number, whose quotients ONNX rounds towards zero."""
    return (a + b - 1) // b


def larger(a: int, b: int) -> int:
    """`max(a, b)` without a branch."""
    return torch.sym_max(a, b)  # type: ignore[return-value]  # sizes are typed as int, symbols or not


def smaller(a: int, b: int) -> int:
    """`min(a, b)` without a branch."""
    return torch.sym_min(a, b)  # type: ignore[return-value]  # sizes are typed as int, symbols or not


def are_equal(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether both are the same known numbers."""
    return all(type(b) is int and type(a) is int and b == a for b, a in zip(before, after, strict=True))


def pad_spatial(x: Tensor, before: Sequence[int], after: Sequence[int], value: float = 0.0) -> Tensor:
    """`x` [n, C, *D] with `value` added around its spatial dimensions."""
    amounts = [amount for pair in zip(reversed(before), reversed(after), strict=True) for amount in pair]
    return torch.nn.functional.pad(x, amounts, value=value)
