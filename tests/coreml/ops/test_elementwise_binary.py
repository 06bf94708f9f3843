"""Elementwise ops of two operands against numpy and Python's own integers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

PROPERTY = settings(max_examples=20, deadline=None, derandomize=True)

FLOATS: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "floor_div": lambda x, y: np.floor(x / y),
    "maximum": np.maximum,
    "minimum": np.minimum,
    "mod": lambda x, y: x - y * np.floor(x / y),
    "mul": np.multiply,
    "pow": lambda x, y: np.power(np.abs(x), y),
    "real_div": np.divide,
    "sub": np.subtract,
}
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "equal": np.equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "not_equal": np.not_equal,
}
LOGIC: dict[str, Callable[[bool, bool], bool]] = {
    "logical_and": lambda x, y: x and y,
    "logical_or": lambda x, y: x or y,
    "logical_xor": lambda x, y: x != y,
}


def _power(x: int, y: int) -> int:
    if y >= 0:
        return int(x**y)
    return math.trunc(x**y) if x else 0


# Python's integers have no width; what does not fit 32 bits wraps around.
INTEGERS: dict[str, Callable[[int, int], int]] = {
    "add": lambda x, y: x + y,
    "floor_div": lambda x, y: x // y if y else 0,
    "maximum": max,
    "minimum": min,
    "mod": lambda x, y: x % y if y else 0,
    "mul": lambda x, y: x * y,
    "pow": _power,
    "real_div": lambda x, y: int(math.copysign(1, x) * math.copysign(1, y)) * (abs(x) // abs(y)) if y else 0,
    "sub": lambda x, y: x - y,
}

SHAPES = mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=4, min_side=1, max_side=4)


@pytest.mark.parametrize("name", FLOATS)
@PROPERTY
@given(shapes=SHAPES, seed=st.integers(0, 2**16))
def test_floats(call: Any, name: str, shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.uniform(-8, 8, shape), np.float32) for shape in shapes.input_shapes)
    y = np.where(np.abs(y) < 0.1, np.float32(0.5), y).reshape(y.shape)
    if name == "pow":
        x = np.abs(x)
    result = call(name, x, y)
    assert result.shape == shapes.result_shape
    assert result.dtype == np.float32
    # one float32 operation; a remainder loses what its quotient, up to 80, rounds away
    expected = FLOATS[name](x.astype(np.float64), y.astype(np.float64))
    np.testing.assert_allclose(result, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("name", INTEGERS)
@PROPERTY
@given(
    x=st.lists(st.integers(-(2**31), 2**31 - 1) | st.integers(-9, 9), min_size=3, max_size=3),
    y=st.lists(st.integers(-9, 9), min_size=3, max_size=3),
)
def test_integers(call: Any, name: str, x: list[int], y: list[int]) -> None:
    result = call(name, np.array(x, np.int32), np.array(y, np.int32))
    assert result.dtype == np.int32
    exact = [INTEGERS[name](a, b) for a, b in zip(x, y, strict=True)]
    assert result.tolist() == [(value + 2**31) % 2**32 - 2**31 for value in exact]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
@pytest.mark.parametrize(("name", "expected"), [("real_div", "least"), ("floor_div", "least"), ("mod", 0)])
def test_the_least_integer_by_minus_one_wraps_around(call: Any, name: str, expected: Any, dtype: Any) -> None:
    least = np.iinfo(dtype).min
    result = call(name, np.array([least, least], dtype), np.array([-1, 0], dtype))
    assert result.tolist() == [least if expected == "least" else expected, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("name", COMPARISONS)
@PROPERTY
@given(shapes=SHAPES, seed=st.integers(0, 2**16))
def test_comparisons(call: Any, name: str, dtype: Any, shapes: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (np.asarray(rng.integers(-2, 3, shape), dtype) for shape in shapes.input_shapes)
    result = call(name, x, y)
    assert result.dtype == np.bool_
    np.testing.assert_array_equal(result, COMPARISONS[name](x, y))


@pytest.mark.parametrize("name", LOGIC)
def test_logic(call: Any, name: str) -> None:
    x, y = np.array([[False], [True]]), np.array([False, True])
    expected = [[LOGIC[name](a, b) for b in (False, True)] for a in (False, True)]
    result = call(name, x, y)
    assert result.dtype == np.bool_
    assert result.tolist() == expected


def test_the_sign_of_a_remainder_is_that_of_the_divisor(call: Any) -> None:
    x, y = np.array([7, -7, 7, -7], np.float32), np.array([3, 3, -3, -3], np.float32)
    np.testing.assert_array_equal(call("mod", x, y), [1, 2, -2, -1])
    np.testing.assert_array_equal(call("floor_div", x, y), [2, -3, -3, 2])


def test_floats_divided_by_zero(call: Any) -> None:
    x, zero = np.array([1, -1, 0], np.float32), np.zeros(3, np.float32)
    np.testing.assert_array_equal(call("real_div", x, zero), [np.inf, -np.inf, np.nan])


def test_nan_is_passed_on(call: Any) -> None:
    x, y = np.array([np.nan, 1], np.float32), np.array([1, np.nan], np.float32)
    for name in ("maximum", "minimum", "add"):
        assert np.isnan(call(name, x, y)).all(), name
