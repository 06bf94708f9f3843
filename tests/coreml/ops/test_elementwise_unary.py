"""Elementwise ops of one operand against numpy and scipy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tinyml.errors import PackageError

PROPERTY = settings(max_examples=15, deadline=None, derandomize=True)

# name: (oracle, lowest and highest argument)
FUNCTIONS = {
    "abs": (np.abs, -9, 9),
    "acos": (np.arccos, -1, 1),
    "asin": (np.arcsin, -1, 1),
    "atan": (np.arctan, -9, 9),
    "atanh": (np.arctanh, -0.9, 0.9),
    "ceil": (np.ceil, -9, 9),
    "cos": (np.cos, -9, 9),
    "cosh": (np.cosh, -9, 9),
    "erf": (special.erf, -4, 4),
    "exp": (np.exp, -9, 9),
    "exp2": (np.exp2, -9, 9),
    "floor": (np.floor, -9, 9),
    "inverse": (lambda x: 1 / (x + 1e-4), 0.1, 9),
    "log": (np.log, 0.01, 9),
    "round": (np.rint, -9, 9),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 0.01, 9),
    "sign": (np.sign, -9, 9),
    "sin": (np.sin, -9, 9),
    "sinh": (np.sinh, -9, 9),
    "sqrt": (np.sqrt, 0, 9),
    "square": (np.square, -9, 9),
    "tan": (np.tan, -1.4, 1.4),
    "tanh": (np.tanh, -9, 9),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@PROPERTY
@given(shape=st.lists(st.integers(0, 4), max_size=5), seed=st.integers(0, 2**16))
def test_function(call: Any, name: str, shape: list[int], seed: int) -> None:
    oracle, low, high = FUNCTIONS[name]
    x = np.asarray(np.random.default_rng(seed).uniform(low, high, shape), np.float32)
    result = call(name, x)
    assert result.dtype == np.float32
    # float32 functions, good to a few units in the last place
    np.testing.assert_allclose(result, oracle(x.astype(np.float64)), rtol=3e-6, atol=1e-6)


def test_halves_are_rounded_to_the_even_number(call: Any) -> None:
    x = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5], np.float32)
    np.testing.assert_array_equal(call("round", x), [-2, -2, 0, 0, 2, 2, 4])


def test_integers_stay_integers(call: Any) -> None:
    x = np.array([-7, -1, 0, 1, 5], np.int32)
    for name, expected in {
        "abs": [7, 1, 0, 1, 5],
        "exp2": [0, 0, 1, 2, 32],
        "sign": [-1, -1, 0, 1, 1],
        "square": [49, 1, 0, 1, 25],
    }.items():
        result = call(name, x)
        assert result.dtype == np.int32, name
        np.testing.assert_array_equal(result, expected)
    result = call("threshold", x, np.int32(-2))
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, [-2, -1, 0, 1, 5])


@pytest.mark.parametrize(
    ("name", "oracle", "default"),
    [
        ("inverse", lambda x, e: 1 / (x + e), 1e-4),
        ("log", lambda x, e: np.log(x + e), 1e-45),
        ("rsqrt", lambda x, e: 1 / np.sqrt(x + e), 1e-12),
    ],
)
def test_epsilon(call: Any, name: str, oracle: Any, default: float) -> None:
    x = np.array([0.0, 0.5, 3.0], np.float32)
    # the smallest float32 is 1.4e-45
    smallest = max(default, float(np.finfo(np.float32).smallest_subnormal))
    np.testing.assert_allclose(call(name, x), oracle(x.astype(np.float64), smallest), rtol=1e-6)
    np.testing.assert_allclose(call(name, x, 0.25), oracle(x.astype(np.float64), 0.25), rtol=1e-6)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(call(name, x, 0.0), oracle(x.astype(np.float64), 0.0), rtol=1e-6)


def test_clip_and_threshold_limit_values(call: Any) -> None:
    x = np.array([-np.inf, -1.0, 0.3, 2.0, np.inf], np.float32)
    np.testing.assert_array_equal(call("clip", x, -0.5, 1.5), np.array([-0.5, -0.5, 0.3, 1.5, 1.5], np.float32))
    np.testing.assert_array_equal(
        call("threshold", x, np.float32(0.25)), np.array([0.25, 0.25, 0.3, 2.0, np.inf], np.float32)
    )


def test_logical_not(call: Any) -> None:
    np.testing.assert_array_equal(call("logical_not", np.array([True, False])), [False, True])


# torch holds uint16 in 32 bits
STORED = {"int8": np.int8, "uint8": np.uint8, "int16": np.int16, "uint16": np.int32, "int32": np.int32}


@pytest.mark.parametrize("dtype", STORED)
@PROPERTY
@given(values=st.lists(st.floats(width=32), max_size=8))
def test_cast_of_floats_truncates_and_saturates(call: Any, dtype: str, values: list[float]) -> None:
    result = call("cast", np.array(values, np.float32), dtype)
    limits = np.iinfo(dtype)
    expected = [0 if v != v else int(max(limits.min, min(limits.max, v))) for v in values]
    assert result.dtype == STORED[dtype]
    assert result.tolist() == expected


@pytest.mark.parametrize("dtype", STORED)
@PROPERTY
@given(values=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=8))
def test_cast_of_integers_wraps_around(call: Any, dtype: str, values: list[int]) -> None:
    result = call("cast", np.array(values, np.int32), dtype)
    bits, signed = np.iinfo(dtype).bits, np.iinfo(dtype).min < 0
    wrapped = [v % 2**bits for v in values]
    expected = [v - 2**bits if signed and v >= 2 ** (bits - 1) else v for v in wrapped]
    assert result.dtype == STORED[dtype]
    assert result.tolist() == expected


def test_cast_to_floats_and_bool(call: Any) -> None:
    x = np.array([-2, 0, 7], np.int32)
    for dtype in ("fp16", "fp32"):
        result = call("cast", x, dtype, opset="iOS15")
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, [-2, 0, 7])
    for array in (x, x.astype(np.float32), x != 0):
        np.testing.assert_array_equal(call("cast", array, "bool"), [True, False, True])
    np.testing.assert_array_equal(call("cast", np.array([True, False]), "int32"), [1, 0])
    with pytest.raises(PackageError, match="cast to an unknown type: 'int128'"):
        call("cast", x, "int128")
