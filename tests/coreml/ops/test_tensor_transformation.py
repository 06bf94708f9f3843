"""Changes of shape against numpy, and the rules of reshape by opset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyml.errors import InputError

PROPERTY = settings(max_examples=30, deadline=None, derandomize=True)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)


def _numbered(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int32).reshape(shape)


@PROPERTY
@given(data=st.data(), shape=SHAPES, opset=st.sampled_from(["iOS15", "iOS18"]))
def test_reshape_inherits_and_infers(call: Any, data: st.DataObject, shape: tuple[int, ...], opset: str) -> None:
    inherits = data.draw(st.tuples(*[st.booleans()] * len(shape)))
    wanted = [0 if keep else size for keep, size in zip(inherits, shape, strict=True)]
    wanted[data.draw(st.integers(0, len(shape) - 1))] = -1
    np.testing.assert_array_equal(call("reshape", _numbered(shape), tuple(wanted), opset=opset), _numbered(shape))


@pytest.mark.parametrize(
    ("shape", "wanted", "result"),
    [
        ((2, 50), (1, 0, -1, 0), (1, 1, 2, 50)),  # the example of the op's page
        ((2, 3, 4), (-1, 0), (6, 4)),
        ((2, 3, 4), (0, 0), None),
        ((6,), (0, 2, 3), (1, 2, 3)),
        ((), (1, 1), (1, 1)),
    ],
)
def test_zeros_count_from_the_right_since_ios17(
    call: Any, shape: tuple[int, ...], wanted: tuple[int, ...], result: tuple[int, ...] | None
) -> None:
    x = _numbered(shape)
    if result is None:
        with pytest.raises(RuntimeError, match="invalid for input of size"):
            call("reshape", x, wanted, opset="iOS17")
    else:
        np.testing.assert_array_equal(call("reshape", x, wanted, opset="iOS17"), x.reshape(result))
    if 0 in wanted:
        with pytest.raises(InputError, match="iOS17"):
            call("reshape", x, wanted, opset="iOS16")


@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_reshape_like_joins_parts_of_shapes(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    cut = data.draw(st.integers(0, len(shape)))
    first, second = np.zeros((*shape[:cut], 7)), np.zeros((9, *shape[cut:]))
    masks = (False, data.draw(st.booleans()))
    end = 0 if masks[1] else second.ndim
    x = _numbered((int(np.prod(shape)),))
    result = call("reshape_like", x, (first, second), (0, 1), (cut, end), masks)
    np.testing.assert_array_equal(result, x.reshape(shape))


@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_transpose_permutes(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    order = data.draw(st.permutations(range(len(shape))))
    perm = tuple(axis - len(shape) * data.draw(st.booleans()) for axis in order)
    np.testing.assert_array_equal(call("transpose", _numbered(shape), perm), _numbered(shape).transpose(order))


@PROPERTY
@given(data=st.data(), shape=hnp.array_shapes(min_dims=0, max_dims=3, max_side=3))
def test_expand_dims_and_squeeze_undo_each_other(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    count = data.draw(st.integers(1, 3))
    rank = len(shape) + count
    places = data.draw(st.lists(st.integers(0, rank - 1), min_size=count, max_size=count, unique=True))
    axes = tuple(place - rank * data.draw(st.booleans()) for place in places)
    x = _numbered(shape)
    expanded = call("expand_dims", x, axes)
    np.testing.assert_array_equal(expanded, np.expand_dims(x, axes))
    np.testing.assert_array_equal(call("squeeze", expanded, axes), x)
    np.testing.assert_array_equal(call("squeeze", expanded), x.squeeze())


def test_squeeze_leaves_larger_axes(call: Any) -> None:
    assert call("squeeze", _numbered((2, 1, 4)), (0, 1)).shape == (2, 4)


@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_reverse_flips(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    axes = data.draw(st.none() | st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True).map(tuple))
    np.testing.assert_array_equal(call("reverse", _numbered(shape), axes), np.flip(_numbered(shape), axes))


@PROPERTY
@given(data=st.data(), shape=hnp.array_shapes(min_dims=2, max_dims=4, max_side=5))
def test_reverse_sequence_turns_the_first_elements(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    seq_axis, batch_axis = data.draw(st.permutations(range(len(shape))))[:2]
    lengths = data.draw(hnp.arrays(np.int32, shape[batch_axis], elements=st.integers(0, shape[seq_axis])))
    x = _numbered(shape)
    want = np.moveaxis(x.copy(), (batch_axis, seq_axis), (0, 1))
    for row, length in zip(want, lengths, strict=True):
        row[:length] = row[:length][::-1].copy()
    want = np.moveaxis(want, (0, 1), (batch_axis, seq_axis))
    result = call("reverse_sequence", x, lengths, seq_axis - len(shape), batch_axis)
    np.testing.assert_array_equal(result, want)
