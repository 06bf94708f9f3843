"""Functions with rules of their own for torch.func.vmap give what they give sample by sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tinyml.coreml.ops import vectorized

SAMPLES = 3
CLOSE: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-6}
"""float32 sums of some ten products of about 1, in another order."""


def values(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def check(function: Callable[..., Tensor], arguments: list[Tensor | None], mapped: list[int | None]) -> None:
    """`function` mapped over the dimensions `mapped` of its arguments equals its results one by one."""
    found = torch.func.vmap(function, in_dims=tuple(mapped))(*arguments)
    one_by_one = [
        function(
            *(
                value if value is None or dim is None else value.select(dim, n)
                for value, dim in zip(arguments, mapped, strict=True)
            )
        )
        for n in range(SAMPLES)
    ]
    torch.testing.assert_close(found, torch.stack(one_by_one), **CLOSE)


@pytest.mark.parametrize("shape", [(4,), (2, 4), (1, 5, 4), (2, 0, 4)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dim", [0, -1])
def test_linear(shape: tuple[int, ...], bias: bool, dim: int) -> None:
    x = values(SAMPLES, *shape).movedim(0, dim).contiguous()
    check(vectorized.linear, [x, values(6, 4), values(6) if bias else None], [dim % x.dim(), None, None])


@pytest.mark.parametrize("mapped", [(0, 0, 0), (0, 1, None), (0, None, 0)])
def test_linear_with_weights_of_each_sample(mapped: tuple[int | None, ...]) -> None:
    shapes = ((2, 4), (6, 4), (6,))
    check(
        vectorized.linear,
        [
            values(*shape) if dim is None else values(SAMPLES, *shape).movedim(0, dim)
            for shape, dim in zip(shapes, mapped, strict=True)
        ],
        list(mapped),
    )


@pytest.mark.parametrize("leading", [(), (2,), (1, 2), (2, 1, 3)])
@pytest.mark.parametrize("mask", [None, (5,), (4, 5), (1, 1, 5)])
@pytest.mark.parametrize("mapped", [(0, 0, 0, None), (0, None, None, 0), (None, 0, 1, 0)])
def test_attention(leading: tuple[int, ...], mask: tuple[int, ...] | None, mapped: tuple[int | None, ...]) -> None:
    if mask is not None and len(mask) > len(leading) + 2:
        mask = mask[1:]
    shapes = ((*leading, 4, 8), (*leading, 5, 8), (*leading, 5, 6), mask)
    mapped = (*mapped[:3], None if mask is None else mapped[3])
    arguments = [
        None if shape is None else values(*shape) if dim is None else values(SAMPLES, *shape).movedim(0, dim)
        for shape, dim in zip(shapes, mapped, strict=True)
    ]
    check(attention_of_two_dimensions, arguments, list(mapped))


def attention_of_two_dimensions(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """A mask of one dimension is given a second, as the op does."""
    return vectorized.attention(query, key, value, mask[None] if mask is not None and mask.dim() == 1 else mask)


def test_an_attention_mask_of_bools_that_leaves_nothing_gives_zeros() -> None:
    mask = torch.tensor([[True, False], [False, False]]).expand(SAMPLES, 2, 2)
    found = torch.func.vmap(vectorized.attention)(
        values(SAMPLES, 2, 4), values(SAMPLES, 2, 4), torch.ones(SAMPLES, 2, 3), mask
    )
    torch.testing.assert_close(found, torch.tensor([[1.0] * 3, [0.0] * 3]).expand(SAMPLES, 2, 3))
