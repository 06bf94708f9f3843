"""Quantization against its formulas in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.errors import PackageError

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


@st.composite
def cases(draw: st.DrawFn, dtype: str) -> dict[str, Any]:
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    axis = draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    count = [] if axis is None else [shape[axis]]
    limits = np.iinfo(dtype)
    return {
        "levels": rng.integers(limits.min - 40, limits.max + 41, shape),
        "scale": np.asarray(rng.uniform(0.01, 2, count), np.float32),
        "zero_point": draw(st.sampled_from((None, rng.integers(limits.min, limits.max + 1, count).astype(dtype)))),
        "axis": axis,
    }


def along(parameter: np.ndarray, rank: int, axis: int | None) -> np.ndarray:
    return parameter if axis is None else np.moveaxis(parameter.reshape([1] * (rank - 1) + [-1]), -1, axis)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@PROPERTY
@given(data=st.data())
def test_quantize(call: Any, dtype: str, data: st.DataObject) -> None:
    case = data.draw(cases(dtype))
    levels, axis, point = case["levels"], case["axis"], case["zero_point"]
    scale = along(case["scale"], levels.ndim, axis)
    # quarters of a level away from a level: no rounding of the division can make a difference
    offset = np.random.default_rng(levels.size).choice([-0.25, 0, 0.25], levels.shape)
    shift = 0 if point is None else along(point.astype(int), levels.ndim, axis)
    x = np.asarray((levels - shift + offset) * scale, np.float32)
    result = call("quantize", x, case["scale"], dtype, point, axis, opset="iOS17")
    assert result.dtype == dtype
    limits = np.iinfo(dtype)
    np.testing.assert_array_equal(result, np.clip(levels, limits.min, limits.max))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@PROPERTY
@given(data=st.data())
def test_dequantize(call: Any, dtype: str, data: st.DataObject) -> None:
    case = data.draw(cases(dtype))
    limits = np.iinfo(dtype)
    levels = np.clip(case["levels"], limits.min, limits.max).astype(dtype)
    axis, point = case["axis"], case["zero_point"]
    shift = 0 if point is None else along(point.astype(int), levels.ndim, axis)
    expected = (levels.astype(int) - shift) * along(case["scale"].astype(np.float64), levels.ndim, axis)
    result = call("dequantize", levels, case["scale"], point, axis, opset="iOS17")
    assert result.dtype == np.float32
    # one product of float32
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_halves_are_rounded_to_the_even_level_and_ends_saturate(call: Any) -> None:
    x = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e6, -1e6, np.inf], np.float32)
    result = call("quantize", x, np.float32(1), "int8")
    assert result.tolist() == [-2, -2, 0, 0, 2, 2, 127, -128, 127]
    result = call("quantize", x, np.float32(1), "uint8", np.uint8(3))
    assert result.tolist() == [1, 1, 3, 3, 5, 5, 255, 0, 255]


def test_other_types_are_refused(call: Any) -> None:
    with pytest.raises(PackageError, match="quantize to an unknown type: 'int4'; allowed: int8, uint8"):
        call("quantize", np.ones(2, np.float32), np.float32(1), "int4")
