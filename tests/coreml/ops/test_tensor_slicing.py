"""Slices against numpy's, windows against loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=5)


def _numbered(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@st.composite
def _slice_arguments(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[dict[str, tuple[Any, ...]], tuple[Any, ...]]:
    """The op's arguments, and numpy's index for the same."""
    rank = len(shape)
    per_axis = {name: st.tuples(*[st.booleans()] * rank) for name in ("begin_mask", "end_mask", "squeeze_mask")}
    masks = {name: draw(strategy) for name, strategy in per_axis.items()}
    begin = draw(st.tuples(*[st.integers(-size, size - 1) for size in shape]))
    end = draw(st.tuples(*[st.integers(-size - 2, size + 2) for size in shape]))
    stride = draw(st.tuples(*[st.sampled_from([-3, -2, -1, 1, 2, 3])] * rank))
    index: list[Any] = []
    for axis in range(rank):
        first = None if masks["begin_mask"][axis] else begin[axis]
        if masks["squeeze_mask"][axis]:
            index.append(first or 0)
        else:
            index.append(slice(first, None if masks["end_mask"][axis] else end[axis], stride[axis]))
    return {"begin": begin, "end": end, "stride": stride, **masks}, tuple(index)


@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_slice_by_index_is_numpys_slice(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    arguments, index = data.draw(_slice_arguments(shape))
    x = _numbered(shape)
    np.testing.assert_array_equal(call("slice_by_index", x, **arguments), x[index])


def test_slice_by_index_needs_no_masks(call: Any) -> None:
    x = _numbered((2, 3, 4))
    np.testing.assert_array_equal(call("slice_by_index", x, (0, -2, 1), (2, 3, -1)), x[0:2, -2:3, 1:-1])


@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_slice_update_is_assignment_to_a_slice(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    arguments, index = data.draw(_slice_arguments(shape))
    x, want = _numbered(shape), _numbered(shape)
    update = -1 - _numbered(x[index].shape)
    want[index] = update
    np.testing.assert_array_equal(call("slice_update", x, update, **arguments), want)
    np.testing.assert_array_equal(x, _numbered(shape))


@pytest.mark.parametrize("first", [4, -5])
def test_an_index_outside_is_refused(call: Any, first: int) -> None:
    arguments: dict[str, Any] = {"begin": (0, first), "end": (1, 9), "squeeze_mask": (False, True)}
    with pytest.raises(IndexError):
        call("slice_by_index", _numbered((1, 4)), **arguments)
    with pytest.raises(IndexError, match=f"index {first} into an axis of 4"):
        call("slice_update", _numbered((1, 4)), np.ones(1, np.float32), **arguments)


@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_slice_by_size_counts_from_begin(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    begin = data.draw(st.tuples(*[st.integers(-size, size - 1) for size in shape]))
    starts = [first % size for first, size in zip(begin, shape, strict=True)]
    size = data.draw(st.tuples(*[st.integers(-1, n - s).filter(bool) for n, s in zip(shape, starts, strict=True)]))
    x = _numbered(shape)
    index = tuple(slice(s, None if count == -1 else s + count) for s, count in zip(starts, size, strict=True))
    np.testing.assert_array_equal(call("slice_by_size", x, begin, size), x[index])


@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_sliding_windows_are_slices_side_by_side(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    size = data.draw(st.integers(1, shape[axis]))
    stride = data.draw(st.integers(1, 3))
    x, place = _numbered(shape), axis % len(shape)
    starts = range(0, shape[axis] - size + 1, stride)
    want = np.stack([x.take(range(start, start + size), place) for start in starts], axis=place)
    np.testing.assert_array_equal(call("sliding_windows", x, axis, size, stride), want)
