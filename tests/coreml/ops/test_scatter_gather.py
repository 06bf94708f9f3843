"""Gather and scatter against loops over every element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyml.errors import InputError, PackageError

PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)
MODES: dict[str, Callable[[Any, Any], Any]] = {
    "update": lambda _, new: new,
    "add": lambda old, new: old + new,
    "sub": lambda old, new: old - new,
    "mul": lambda old, new: old * new,
    "div": lambda old, new: old / new,
    "max": max,
    "min": min,
}
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)
INDEX_TYPES = (np.int8, np.uint8, np.int16, np.int32)


def _values(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Distinct positive floats."""
    size = int(np.prod(shape))
    return (np.random.default_rng(seed).permutation(size).reshape(shape) / 4 + 0.5).astype(np.float32)


def _indices(data: st.DataObject, shape: tuple[int, ...], size: int, *, negative: bool) -> np.ndarray:
    dtype = np.dtype(data.draw(st.sampled_from(INDEX_TYPES)))
    low = -size if negative and dtype.kind == "i" else 0
    return data.draw(hnp.arrays(dtype, shape, elements=st.integers(low, size - 1)))


@PROPERTY
@given(data=st.data(), shape=SHAPES, opset=st.sampled_from(["iOS15", "iOS16", "iOS18"]))
def test_gather_takes_slices(call: Any, data: st.DataObject, shape: tuple[int, ...], opset: str) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    batch_dims = data.draw(st.integers(0, axis % len(shape))) if opset != "iOS15" else 0
    own = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))
    x = _values(shape, 0)
    indices = _indices(data, shape[:batch_dims] + own, shape[axis], negative=opset != "iOS18")
    extra = {"batch_dims": batch_dims} if opset != "iOS15" else {}
    result = call("gather", x, indices, axis, opset=opset, **extra)

    place = axis % len(shape)
    want = np.empty(shape[:place] + own + shape[place + 1 :], np.float32)
    for where in np.ndindex(*want.shape):
        inner = where[place : place + len(own)]
        at = int(indices[where[:batch_dims] + inner])
        want[where] = x[(*where[:place], at, *where[place + len(own) :])]
    np.testing.assert_array_equal(result, want)


@PROPERTY
@given(data=st.data(), shape=SHAPES, opset=st.sampled_from(["iOS15", "iOS16", "iOS18"]))
def test_gather_along_axis_is_take_along_axis(
    call: Any, data: st.DataObject, shape: tuple[int, ...], opset: str
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    chosen = list(shape)
    chosen[axis] = data.draw(st.integers(1, 4))
    x, indices = _values(shape, 1), _indices(data, tuple(chosen), shape[axis], negative=opset != "iOS18")
    result = call("gather_along_axis", x, indices, axis, opset=opset)
    np.testing.assert_array_equal(result, np.take_along_axis(x, indices.astype(np.int64), axis))


def _vectors(data: st.DataObject, places: tuple[int, ...], sizes: tuple[int, ...], *, negative: bool) -> np.ndarray:
    columns = [_indices(data, places, size, negative=negative).astype(np.int32) for size in sizes]
    return np.stack(columns, axis=-1)


@PROPERTY
@given(data=st.data(), shape=SHAPES, opset=st.sampled_from(["iOS15", "iOS16", "iOS18"]))
def test_gather_nd_follows_index_vectors(call: Any, data: st.DataObject, shape: tuple[int, ...], opset: str) -> None:
    batch_dims = data.draw(st.integers(0, len(shape) - 1)) if opset != "iOS15" else 0
    depth = data.draw(st.integers(1, len(shape) - batch_dims))
    own = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))
    places = shape[:batch_dims] + own
    x = _values(shape, 2)
    vectors = _vectors(data, places, shape[batch_dims : batch_dims + depth], negative=opset != "iOS18")
    extra = {"batch_dims": batch_dims} if opset != "iOS15" else {}
    result = call("gather_nd", x, vectors, opset=opset, **extra)
    want = np.empty(places + shape[batch_dims + depth :], np.float32)
    for where in np.ndindex(*places):
        want[where] = x[(*where[:batch_dims], *vectors[where])]
    np.testing.assert_array_equal(result, want)


@pytest.mark.parametrize("opset", ["iOS15", "iOS18"])
@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(data=st.data(), shape=SHAPES)
def test_scatter_combines_slices(call: Any, data: st.DataObject, shape: tuple[int, ...], mode: str, opset: str) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    place = axis % len(shape)
    own = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=2))
    indices = _indices(data, own, shape[axis], negative=opset == "iOS15").astype(np.int32)
    x, updates = _values(shape, 3), _values(shape[:place] + own + shape[place + 1 :], 4)
    want = x.copy()
    for where in np.ndindex(*updates.shape):
        at = (*where[:place], int(indices[where[place : place + len(own)]]), *where[place + len(own) :])
        want[at] = MODES[mode](want[at], updates[where])
    # Products of a handful of values in another order differ in the last bits.
    np.testing.assert_allclose(call("scatter", x, indices, updates, axis, mode, opset=opset), want, rtol=1e-5)


@pytest.mark.parametrize("opset", ["iOS15", "iOS18"])
@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(data=st.data(), shape=SHAPES)
def test_scatter_along_axis_combines_elements(
    call: Any, data: st.DataObject, shape: tuple[int, ...], mode: str, opset: str
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    chosen = list(shape)
    chosen[axis] = data.draw(st.integers(1, 4))
    indices = _indices(data, tuple(chosen), shape[axis], negative=opset == "iOS15").astype(np.int32)
    x, updates = _values(shape, 5), _values(tuple(chosen), 6)
    want = x.copy()
    for where in np.ndindex(*updates.shape):
        at = list(where)
        at[axis] = int(indices[where])
        want[tuple(at)] = MODES[mode](want[tuple(at)], updates[where])
    result = call("scatter_along_axis", x, indices, updates, axis, mode, opset=opset)
    np.testing.assert_allclose(result, want, rtol=1e-5)


@pytest.mark.parametrize("opset", ["iOS15", "iOS18"])
@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(data=st.data(), shape=SHAPES)
def test_scatter_nd_combines_parts(
    call: Any, data: st.DataObject, shape: tuple[int, ...], mode: str, opset: str
) -> None:
    depth = data.draw(st.integers(1, len(shape)))
    places = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=3))
    vectors = _vectors(data, places, shape[:depth], negative=opset == "iOS15")
    x, updates = _values(shape, 7), _values(places + shape[depth:], 8)
    want = x.copy()
    for where in np.ndindex(*updates.shape):
        at = (*(int(index) for index in vectors[where[: len(places)]]), *where[len(places) :])
        want[at] = MODES[mode](want[at], updates[where])
    np.testing.assert_allclose(call("scatter_nd", x, vectors, updates, mode, opset=opset), want, rtol=1e-5)


def test_integers_keep_their_width_and_divide_towards_zero(call: Any) -> None:
    data, updates = np.array([2**24 + 1, -7], np.int32), np.array([1, 2], np.int32)
    result = call("scatter", data, np.array([0, 1], np.int32), updates, 0, "div")
    assert result.dtype == np.int32
    assert result.tolist() == [2**24 + 1, -3]
    edges = np.array([-(2**31), 5], np.int32)
    assert call("scatter", edges, np.array([0, 1], np.int32), np.array([-1, 0], np.int32), 0, "div").tolist() == [
        -(2**31),
        0,
    ]


OUT_OF_BOUNDS = {
    "gather": ((np.ones((2, 3), np.float32), np.array([[0, 9]], np.int32)), {"axis": 1}),
    "gather_along_axis": ((np.ones((2, 3), np.float32), np.array([[-1, 0, 0]], np.int32)), {"axis": 0}),
    "gather_nd": ((np.ones((2, 3), np.float32), np.array([[1, 3]], np.int32)), {}),
    "scatter": ((np.ones((2, 3), np.float32), np.array([-1, 0], np.int32), np.ones((2, 3), np.float32)), {}),
    "scatter_along_axis": (
        (np.ones((2, 3), np.float32), np.array([[2, 0, 0]], np.int32), np.ones((1, 3), np.float32)),
        {},
    ),
    "scatter_nd": ((np.ones((2, 3), np.float32), np.array([[0, -1]], np.int32), np.ones(1, np.float32)), {}),
}


@pytest.mark.parametrize("opset", ["iOS17", "iOS18"])
@pytest.mark.parametrize("name", OUT_OF_BOUNDS)
def test_validated_indices_refuse_what_is_out_of_bounds(call: Any, name: str, opset: str) -> None:
    inputs, attributes = OUT_OF_BOUNDS[name]
    with pytest.raises(InputError, match=r"out of bounds.*allowed: 0 <= index"):
        call(name, *inputs, opset=opset, validate_indices=True, **attributes)
    unchecked = call(name, *inputs, opset=opset, validate_indices=False, **attributes)
    assert np.isfinite(unchecked).all()


def test_updates_beyond_the_data_are_dropped(call: Any) -> None:
    data, updates = np.array([1.0, 2.0], np.float32), np.array([10.0, 20.0], np.float32)
    assert call("scatter", data, np.array([-1, 0], np.int32), updates).tolist() == [21.0, 2.0]
    assert call("scatter", data, np.array([7, 1], np.int32), updates, 0, "update").tolist() == [1.0, 20.0]
    assert call("scatter_nd", data, np.array([[2], [1]], np.int32), updates).tolist() == [1.0, 22.0]


def test_an_unknown_mode_is_refused(call: Any) -> None:
    with pytest.raises(PackageError, match="allowed: update"):
        call("scatter", np.ones(2, np.float32), np.array([0], np.int32), np.ones(1, np.float32), 0, "average")
