"""Attention."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._C._functorch import is_batchedtensor
from torch.nn import functional

from .registry import op


@op("scaled_dot_product_attention", since="iOS18")
def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """`softmax(query key^T / sqrt(E) + mask) value`; query [B, *, L, E], key [B, *, S, E], value [B, *, S, EV].

    A mask broadcasts to [B, *, L, S]; a bool one says which elements take part, a float one is added. As in torch, a
    row of which none takes part gives zeros.
    """
    if attn_mask is not None and attn_mask.dim() == 1:
        attn_mask = attn_mask.unsqueeze(0)  # torch wants [L, S] at least
    if not is_batchedtensor(query):
        return functional.scaled_dot_product_attention(query, key, value, attn_mask)
    # torch's fused kernel for CPUs has no batching rule: under vmap it warns, and runs sample by sample.
    scores = torch.matmul(query * query.shape[-1] ** -0.5, key.mT)
    if attn_mask is None:
        return torch.matmul(torch.softmax(scores, -1), value)
    scores = scores.masked_fill(~attn_mask, float("-inf")) if attn_mask.dtype is torch.bool else scores + attn_mask
    weights = torch.softmax(scores, -1)
    nothing = (scores == float("-inf")).all(-1, keepdim=True)
    return torch.matmul(weights.masked_fill(nothing, 0.0), value)
