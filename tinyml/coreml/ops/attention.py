"""Attention."""

from __future__ import annotations

from torch import Tensor

from . import vectorized
from .registry import op


@op("scaled_dot_product_attention", since="iOS18")
def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """`softmax(query key^T / sqrt(E) + mask) value`; query [B, *, L, E], key [B, *, S, E], value [B, *, S, EV].

    A mask broadcasts to [B, *, L, S]; a bool one says which elements take part, a float one is added. As in torch, a
    row of which none takes part gives zeros.
    """
    if attn_mask is not None and attn_mask.dim() == 1:
        attn_mask = attn_mask.unsqueeze(0)  # torch wants [L, S] at least
    return vectorized.attention(query, key, value, attn_mask)
