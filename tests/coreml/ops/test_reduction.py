"""Reductions against numpy in float64, or in Python's integers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

PROPERTY = settings(max_examples=20, deadline=None, derandomize=True)

ORACLES: dict[str, Callable[..., Any]] = {
    "reduce_l1_norm": lambda x, **kw: np.abs(x).sum(**kw),
    "reduce_l2_norm": lambda x, **kw: np.sqrt((x**2).sum(**kw)),
    "reduce_log_sum": lambda x, **kw: np.log(x.sum(**kw)),
    "reduce_log_sum_exp": special.logsumexp,
    "reduce_max": np.max,
    "reduce_mean": np.mean,
    "reduce_min": np.min,
    "reduce_prod": np.prod,
    "reduce_sum": np.sum,
    "reduce_sum_square": lambda x, **kw: (x**2).sum(**kw),
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[int], tuple[int, ...] | None, tuple[int, ...], bool, int]:
    """A shape, the axes as written, the axes as meant, keep_dims and a seed."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    rank = len(shape)
    axes = draw(st.none() | st.sets(st.integers(0, rank - 1)))
    meant = tuple(range(rank)) if axes is None else tuple(sorted(axes))
    written = None if axes is None else tuple(a - rank if draw(st.booleans()) else a for a in meant)
    return shape, written, meant, draw(st.booleans()), draw(st.integers(0, 2**16))


@pytest.mark.parametrize("name", ORACLES)
@PROPERTY
@given(case=cases())
def test_floats(call: Any, name: str, case: Any) -> None:
    shape, written, meant, keep_dims, seed = case
    low = 0.2 if name == "reduce_log_sum" else -1.5
    x = np.asarray(np.random.default_rng(seed).uniform(low, 1.5, shape), np.float32)
    result = call(name, x, written, keep_dims)
    expected = np.asarray(ORACLES[name](x.astype(np.float64), axis=meant, keepdims=keep_dims))
    assert result.dtype == np.float32
    assert result.shape == expected.shape
    # float32 sums of at most 1024 values of order 1
    np.testing.assert_allclose(result, expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", ORACLES)
@PROPERTY
@given(case=cases())
def test_integers_lose_the_fraction(call: Any, name: str, case: Any) -> None:
    shape, written, meant, keep_dims, seed = case
    low = 1 if name == "reduce_log_sum" else -2
    x = np.asarray(np.random.default_rng(seed).integers(low, 3, shape), np.int32)
    result = call(name, x, written, keep_dims)
    exact = ORACLES[name](x.astype(np.float64), axis=meant, keepdims=keep_dims)
    assert result.dtype == np.int32
    if name == "reduce_prod":  # may leave 32 bits
        exact = np.vectorize(lambda v: (int(v) + 2**31) % 2**32 - 2**31, otypes=[np.float64])(exact)
    # a root or a logarithm that is a whole number may miss it by a rounding
    assert np.all((result == np.trunc(exact)) | (np.abs(result - exact) < 1e-9))


def test_sums_of_integers_are_exact_and_wrap_around(call: Any) -> None:
    x = np.array([2**30, 2**30 + 1, 2**30 + 3, 2**30], np.int32)
    assert call("reduce_sum", x[:1]).item() == 2**30
    assert call("reduce_sum", x).item() == (int(x.sum(dtype=np.int64)) + 2**31) % 2**32 - 2**31
    assert call("reduce_mean", x).item() == math.trunc(int(x.sum(dtype=np.int64)) / 4)


@pytest.mark.parametrize(("name", "oracle"), [("reduce_argmax", np.argmax), ("reduce_argmin", np.argmin)])
@PROPERTY
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=5), seed=st.integers(0, 2**16), data=st.data())
def test_places(call: Any, name: str, oracle: Any, shape: list[int], seed: int, data: st.DataObject) -> None:
    axis, keep_dims = data.draw(st.integers(-len(shape), len(shape) - 1)), data.draw(st.booleans())
    dtype = data.draw(st.sampled_from((np.float32, np.int32)))
    x = np.asarray(np.random.default_rng(seed).integers(-2, 3, shape), dtype)
    expected = oracle(x, axis=axis, keepdims=keep_dims)
    for opset, options in (("iOS15", {}), ("iOS17", {}), ("iOS17", {"output_dtype": "uint16"})):
        result = call(name, x, axis, keep_dims, opset=opset, **options)
        assert result.dtype == np.int32
        np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(call(name, x), oracle(x, axis=-1))


def test_log_sum_exp_does_not_overflow(call: Any) -> None:
    x = np.array([1000.0, 1000.0], np.float32)
    np.testing.assert_allclose(call("reduce_log_sum_exp", x), 1000 + np.log(2), rtol=1e-6)
    assert call("reduce_log_sum_exp", np.array([-np.inf, -np.inf], np.float32)).item() == -np.inf
