"""Making, joining, repeating and padding against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyml.coreml.ops.context import OpContext
from tinyml.coreml.program.types import ValueType
from tinyml.errors import PackageError

PROPERTY = settings(max_examples=30, deadline=None, derandomize=True)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)
DTYPES = (np.float32, np.int32, np.bool_)


def _numbered(shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@PROPERTY
@given(shape=hnp.array_shapes(min_dims=0, max_dims=5, max_side=3))
def test_shape_is_an_int32_vector(call: Any, shape: tuple[int, ...]) -> None:
    result = call("shape", _numbered(shape))
    assert result.dtype == np.int32
    assert tuple(result) == shape


@pytest.mark.parametrize("dtype", DTYPES)
@PROPERTY
@given(shape=SHAPES)
def test_fill_takes_the_type_of_its_value(call: Any, shape: tuple[int, ...], dtype: type) -> None:
    want: np.ndarray = np.full(shape, 3, dtype)
    for result in (call("fill", shape, want.flat[0]), call("fill_like", _numbered(shape), want.flat[0])):
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, want)
    np.testing.assert_array_equal(call("fill", shape), np.zeros(shape, np.float32))


@PROPERTY
@given(
    start=st.integers(-20, 20),
    end=st.integers(-20, 20),
    step=st.sampled_from([-3, -1, 1, 2, 7]),
    quarters=st.booleans(),
)
def test_range_is_numpys(call: Any, start: int, end: int, step: int, quarters: bool) -> None:
    scale = 0.25 if quarters else 1
    kind = ValueType(dtype="fp32" if quarters else "int32", shape=(None,))
    context = OpContext(name="range", opset="iOS18", outputs=(kind,))
    result = call("range_1d", end * scale, start * scale, step * scale, context)
    assert result.dtype == (np.float32 if quarters else np.int32)
    np.testing.assert_array_equal(result, np.arange(start * scale, end * scale, step * scale))


@PROPERTY
@given(data=st.data(), shape=hnp.array_shapes(min_dims=0, max_dims=3, max_side=3), size=st.integers(1, 5))
def test_one_hot_marks_the_index(call: Any, data: st.DataObject, shape: tuple[int, ...], size: int) -> None:
    indices = data.draw(hnp.arrays(np.int32, shape, elements=st.integers(-1, size)))
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    result = call("one_hot", indices, size, axis, np.float32(5), np.float32(-1))
    last = np.array([[5 if place == index else -1 for place in range(size)] for index in indices.reshape(-1)])
    want = np.moveaxis(last.reshape((*shape, size)), -1, axis)
    np.testing.assert_array_equal(result, want)
    assert result.dtype == np.float32
    assert call("one_hot", indices, size, axis).dtype == np.int32


@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_flatten2d_multiplies_sizes(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape)))
    want = (int(np.prod(shape[:axis])), int(np.prod(shape[axis:])))
    np.testing.assert_array_equal(call("flatten2d", _numbered(shape), axis), _numbered(shape).reshape(want))


@PROPERTY
@given(data=st.data(), shape=SHAPES, count=st.integers(1, 3))
def test_concat_split_and_stack(call: Any, data: st.DataObject, shape: tuple[int, ...], count: int) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = data.draw(st.tuples(*[st.integers(1, 3)] * count))
    parts = []
    for number, size in enumerate(sizes):
        part_shape = list(shape)
        part_shape[axis] = size
        parts.append(_numbered(tuple(part_shape)) + 1000 * number)
    whole = call("concat", tuple(parts), axis)
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis))
    for result, part in zip(call("split", whole, axis, split_sizes=sizes), parts, strict=True):
        np.testing.assert_array_equal(result, part)

    same = tuple(_numbered(shape) + 1000 * number for number in range(count))
    interleaved = call("concat", same, axis, True)
    for number, part in enumerate(same):
        index = [slice(None)] * len(shape)
        index[axis] = slice(number, None, count)
        np.testing.assert_array_equal(interleaved[tuple(index)], part)
    for result, part in zip(call("split", call("concat", same, axis), axis, count), same, strict=True):
        np.testing.assert_array_equal(result, part)
    place = data.draw(st.integers(-len(shape) - 1, len(shape)))
    np.testing.assert_array_equal(call("stack", same, place), np.stack(same, place))


def test_concat_of_scalars_is_a_vector(call: Any) -> None:
    assert call("concat", (np.float32(1), np.float32(2)), 0).tolist() == [1.0, 2.0]


def test_split_needs_a_number_or_sizes(call: Any) -> None:
    with pytest.raises(PackageError, match="neither num_splits nor split_sizes"):
        call("split", _numbered((4,)), 0)


@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_tile_repeats(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    reps = data.draw(st.tuples(*[st.integers(1, 3)] * len(shape)))
    np.testing.assert_array_equal(call("tile", _numbered(shape), reps), np.tile(_numbered(shape), reps))


@pytest.mark.parametrize(("mode", "numpys"), [("constant", "constant"), ("reflect", "reflect"), ("replicate", "edge")])
@PROPERTY
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=5, max_side=4))
def test_pad_is_numpys(call: Any, data: st.DataObject, shape: tuple[int, ...], mode: str, numpys: str) -> None:
    padded = data.draw(st.integers(1, len(shape)))
    widths = [
        data.draw(st.tuples(*[st.integers(0, size - 1 if mode == "reflect" else size)] * 2))
        for size in shape[len(shape) - padded :]
    ]
    x = _numbered(shape)
    flat = tuple(width for pair in widths for width in pair)
    everywhere = [(0, 0)] * (len(shape) - padded) + widths
    extra: dict[str, Any] = {"constant_values": -2.5} if mode == "constant" else {}
    want = np.pad(x, everywhere, numpys, **extra)  # type: ignore[call-overload]
    np.testing.assert_array_equal(call("pad", x, flat, mode, -2.5), want)


@PROPERTY
@given(data=st.data(), shape=hnp.array_shapes(min_dims=2, max_dims=4, max_side=5))
def test_band_part_keeps_a_band(call: Any, data: st.DataObject, shape: tuple[int, ...]) -> None:
    lower, upper = data.draw(st.tuples(st.integers(-1, 4), st.integers(-1, 4)))
    x = _numbered(shape) + 1
    want = x if lower < 0 else np.triu(x, -lower)
    want = want if upper < 0 else np.tril(want, upper)
    np.testing.assert_array_equal(call("band_part", x, lower, upper), want)


def test_band_part_makes_zeros_of_infinities(call: Any) -> None:
    assert call("band_part", np.full((2, 2), -np.inf, np.float32), 0, 0)[0, 1] == 0


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@PROPERTY
@given(data=st.data(), shape=SHAPES)
def test_cumsum_adds_up(call: Any, data: st.DataObject, shape: tuple[int, ...], dtype: type) -> None:
    axis = data.draw(st.integers(-1, len(shape) - 1))
    exclusive, reverse = data.draw(st.tuples(st.booleans(), st.booleans()))
    # Small whole numbers add up exactly in float32.
    x = data.draw(hnp.arrays(dtype, shape, elements=st.integers(-9, 9)))
    moved = np.moveaxis(x, axis, 0)
    want = np.empty_like(moved)
    for place in range(moved.shape[0]):
        if reverse:
            part = moved[place + 1 :] if exclusive else moved[place:]
        else:
            part = moved[:place] if exclusive else moved[: place + 1]
        want[place] = part.sum(axis=0)
    result = call("cumsum", x, axis, exclusive, reverse)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, np.moveaxis(want, 0, axis))


@PROPERTY
@given(x=hnp.arrays(np.int32, SHAPES, elements=st.integers(-1, 1)))
def test_non_zero_lists_places_in_order(call: Any, x: np.ndarray) -> None:
    result = call("non_zero", x)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, np.argwhere(x))


def test_identity_is_the_value(call: Any) -> None:
    assert call("identity", _numbered((2,))).tolist() == [0.0, 1.0]


def test_an_unknown_pad_mode_is_refused(call: Any) -> None:
    with pytest.raises(PackageError, match="allowed: constant, reflect, replicate"):
        call("pad", _numbered((2,)), (1, 1), "wrap")
