"""Attention."""

from __future__ import annotations

from torch import Tensor

from . import vectorized
from .registry import op
from .samples import Arguments, Axis, MixedSamplesError, common_from_end


def _attention_samples(given: Arguments) -> tuple[Axis, ...]:
    from_end = common_from_end(given.all_tensors)
    if from_end >= -2 or any(given.axis(name) is None for name in ("query", "key", "value")):
        raise MixedSamplesError
    return (len(given.shape("query")) + from_end,)


@op("scaled_dot_product_attention", since="iOS18", samples=_attention_samples)
def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None) -> Tensor:
    """`softmax(query key^T / sqrt(E) + mask) value`; query [B, *, L, E], key [B, *, S, E], value [B, *, S, EV].

    A mask broadcasts to [B, *, L, S]; a bool one says which elements take part, a float one is added. As in torch, a
    row of which none takes part gives zeros.
    """
    if attn_mask is not None and attn_mask.dim() == 1:
        attn_mask = attn_mask.unsqueeze(0)  # torch wants [L, S] at least
    return vectorized.attention(query, key, value, attn_mask)
