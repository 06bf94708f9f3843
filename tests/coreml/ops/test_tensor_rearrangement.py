"""Blocks between axes against the formula for each element, and against each op's inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(max_examples=20, deadline=None, derandomize=True)
SIZES = st.integers(1, 3)


def _numbered(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@PROPERTY
@given(n=SIZES, c=SIZES, h=SIZES, w=SIZES, b=st.integers(2, 3))
def test_depth_and_space(call: Any, n: int, c: int, h: int, w: int, b: int) -> None:
    x = _numbered((n, c * b * b, h, w))
    result = call("depth_to_space", x, b)
    want = np.empty((n, c, h * b, w * b), np.float32)
    for i, channel, row, column in np.ndindex(*want.shape):
        depth = ((row % b) * b + column % b) * c + channel
        want[i, channel, row, column] = x[i, depth, row // b, column // b]
    np.testing.assert_array_equal(result, want)
    np.testing.assert_array_equal(call("space_to_depth", result, b), x)


@PROPERTY
@given(n=SIZES, c=SIZES, h=SIZES, w=SIZES, f=st.integers(1, 3))
def test_pixel_shuffle(call: Any, n: int, c: int, h: int, w: int, f: int) -> None:
    x = _numbered((n, c * f * f, h, w))
    result = call("pixel_shuffle", x, f)
    want = np.empty((n, c, h * f, w * f), np.float32)
    for i, channel, row, column in np.ndindex(*want.shape):
        depth = channel * f * f + (row % f) * f + column % f
        want[i, channel, row, column] = x[i, depth, row // f, column // f]
    np.testing.assert_array_equal(result, want)
    np.testing.assert_array_equal(call("pixel_unshuffle", result, f), x)


@PROPERTY
@given(data=st.data(), n=SIZES, c=SIZES)
def test_space_and_batch(call: Any, data: st.DataObject, n: int, c: int) -> None:
    block = data.draw(st.tuples(SIZES, SIZES))
    pads = data.draw(st.tuples(*[st.integers(0, 2)] * 4))
    rows, columns = data.draw(st.tuples(st.integers(3, 4), st.integers(3, 4)))
    height, width = rows * block[0] - pads[0] - pads[1], columns * block[1] - pads[2] - pads[3]
    if min(height, width) < 1:
        return
    x = _numbered((n, c, height, width))
    result = call("space_to_batch", x, block, pads)
    padded = np.pad(x, ((0, 0), (0, 0), pads[:2], pads[2:]))
    parts = [padded[:, :, i :: block[0], j :: block[1]] for i in range(block[0]) for j in range(block[1])]
    np.testing.assert_array_equal(result, np.concatenate(parts))
    np.testing.assert_array_equal(call("batch_to_space", result, block, pads), x)


@pytest.mark.parametrize("name", ["depth_to_space", "pixel_shuffle"])
def test_a_depth_that_does_not_divide_is_refused(call: Any, name: str) -> None:
    with pytest.raises(RuntimeError):
        call(name, np.ones((1, 5, 2, 2), np.float32), 2)
