"""Attention against its formula in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tinyml.coreml.ops.registry import find


@pytest.mark.parametrize("mask", ["none", "bool", "float"])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    lead=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    sizes=st.tuples(*[st.integers(1, 5)] * 4),
    mask_rank=st.integers(1, 5),
    seed=st.integers(0, 2**16),
)
def test_scaled_dot_product_attention(
    call: Any, mask: str, lead: list[int], sizes: Any, mask_rank: int, seed: int
) -> None:
    target, source, embedding, values = sizes
    rng = np.random.default_rng(seed)
    query, key, value = (
        rng.standard_normal([*lead, *shape]).astype(np.float32)
        for shape in ((target, embedding), (source, embedding), (source, values))
    )
    scores = np.einsum("...le,...se->...ls", query.astype(np.float64), key) / np.sqrt(embedding)
    attn_mask = None
    if mask != "none":
        shape = scores.shape[-min(mask_rank, scores.ndim) :]
        attn_mask = rng.standard_normal(shape).astype(np.float32)
        if mask == "bool":
            attn_mask = attn_mask > 0
            scores = np.where(attn_mask, scores, -np.inf)
        else:
            scores = scores + attn_mask
    with np.errstate(invalid="ignore"):
        weights = special.softmax(scores, -1)
    expected = np.nan_to_num(weights) @ value.astype(np.float64)  # nothing attended to: zeros, as in torch
    result = call("scaled_dot_product_attention", query, key, value, attn_mask)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
    if attn_mask is None or attn_mask.ndim == scores.ndim:
        inputs = [torch.from_numpy(array) for array in (query, key, value, attn_mask) if array is not None]
        definition = find("scaled_dot_product_attention", "iOS18")
        assert definition is not None
        together = torch.func.vmap(definition.function)(*inputs)
        np.testing.assert_allclose(together, expected, rtol=1e-5, atol=1e-5)
