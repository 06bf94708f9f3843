"""Functions whose own rules for torch.func.vmap are slow, with better ones.

torch splits a mapped linear layer into a product and a sum, and runs its fused attention sample by sample.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_batchedtensor
from torch.nn import functional

Mapped = tuple[int | None, ...]
"""Which dimension of each argument runs over the samples; None: the same for all."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`torch.nn.functional.linear`; where `x` is mapped, one matrix product for all samples."""
    if not is_batchedtensor(x):
        return functional.linear(x, weight, bias)
    result: Tensor = _Linear.apply(x, weight, bias)
    return result


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """`torch.nn.functional.scaled_dot_product_attention`; where mapped, the fused kernel for all samples."""
    if not any(each is not None and is_batchedtensor(each) for each in (query, key, value, mask)):
        return functional.scaled_dot_product_attention(query, key, value, mask)
    result: Tensor = _Attention.apply(query, key, value, mask)
    return result


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return functional.linear(x, weight, bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept: data sets are evaluated, not trained on."""

    @staticmethod
    def vmap(_: Any, mapped: Mapped, x: Tensor, weight: Tensor, bias: Tensor | None) -> tuple[Tensor, int]:
        """Rows of all samples in one matrix; torch has a fused kernel for two dimensions only."""
        if mapped[1:] != (None, None) or mapped[0] is None:
            one = torch.func.vmap(_linear_of_samples, in_dims=mapped)
            return one(x, weight, bias), 0
        samples = x.movedim(mapped[0], 0)
        rows = functional.linear(samples.reshape(-1, samples.shape[-1]), weight, bias)
        return rows.reshape(*samples.shape[:-1], rows.shape[-1]), 0


def _linear_of_samples(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    product = torch.matmul(x, weight.mT)
    return product if bias is None else product + bias


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        return functional.scaled_dot_product_attention(query, key, value, mask)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept: data sets are evaluated, not trained on."""

    @staticmethod
    def vmap(
        info: Any, mapped: Mapped, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, int]:
        """Samples and batch in one dimension; the fused kernel takes [batch, heads, length, embedding] only."""
        count = info.batch_size
        q, k, v = (_samples(x, dim, count) for x, dim in zip((query, key, value), mapped[:3], strict=True))
        leading = torch.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])  # type: ignore[no-untyped-call]
        if mask is not None:
            mask = _samples(mask, mapped[3], count)
            # The mask may have fewer dimensions than the query; the missing ones come after that of the samples.
            mask = mask.reshape(count, *[1] * (len(leading) + 2 - mask.dim()), *mask.shape[1:])
            mask = _heads(mask.expand(*leading, q.shape[-2], k.shape[-2]), leading)
        result = functional.scaled_dot_product_attention(
            _heads(q, leading), _heads(k, leading), _heads(v, leading), mask
        )
        return result.reshape(*leading, *result.shape[-2:]), 0


def _samples(value: Tensor, dim: int | None, count: int) -> Tensor:
    return value.expand(count, *value.shape) if dim is None else value.movedim(dim, 0)


def _heads(value: Tensor, leading: torch.Size) -> Tensor:
    """`value` [..., L, E] as [batch, heads, L, E], the heads being the last of the `leading` dimensions."""
    return value.expand(*leading, *value.shape[-2:]).reshape(-1, leading[-1], *value.shape[-2:])
