"""Orders against numpy's stable sort, non-maximum suppression against a loop over boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

PROPERTY = settings(max_examples=30, deadline=None, derandomize=True)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, max_side=6)


def _places(x: np.ndarray, axis: int, *, ascending: bool) -> np.ndarray:
    """Where the sorted values lie; equal ones in their own order."""
    return np.argsort(x if ascending else -x.astype(np.float64), axis=axis, kind="stable")


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@PROPERTY
@given(data=st.data(), shape=SHAPES, ascending=st.booleans())
def test_argsort_is_stable(
    call: Any, data: st.DataObject, shape: tuple[int, ...], ascending: bool, dtype: type
) -> None:
    x = data.draw(hnp.arrays(dtype, shape, elements=st.integers(-3, 3)))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    result = call("argsort", x, axis, ascending)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, _places(x, axis, ascending=ascending))


@pytest.mark.parametrize("opset", ["iOS15", "iOS16", "iOS17", "iOS18"])
@PROPERTY
@given(data=st.data(), shape=SHAPES, ascending=st.booleans())
def test_topk_takes_the_first_of_the_order(
    call: Any, data: st.DataObject, shape: tuple[int, ...], ascending: bool, opset: str
) -> None:
    dtype = data.draw(st.sampled_from([np.float32, np.int32, np.int8, np.uint8, np.int16]))
    x = data.draw(hnp.arrays(dtype, shape, elements=st.integers(0, 5)))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    k = data.draw(st.integers(1, shape[axis]))
    places = _places(x, axis, ascending=ascending).take(range(k), axis)
    values, indices = call("topk", x, k, axis, ascending, opset=opset)
    assert (values.dtype, indices.dtype) == (dtype, np.int32)
    np.testing.assert_array_equal(indices, places)
    np.testing.assert_array_equal(values, np.take_along_axis(x, places, axis))
    if opset != "iOS15":
        only = call("topk", x, k, axis, ascending, opset=opset, sort=False, return_indices=False)
        np.testing.assert_array_equal(np.sort(only, axis), np.sort(values, axis))
    if opset in ("iOS17", "iOS18"):
        everything, _ = call("topk", x, -1, axis, ascending, opset=opset, output_indices_dtype="uint16")
        np.testing.assert_array_equal(everything, np.take_along_axis(x, _places(x, axis, ascending=ascending), axis))


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    sides = [
        max(0.0, min(one[a] + one[a + 2] / 2, other[a] + other[a + 2] / 2)
            - max(one[a] - one[a + 2] / 2, other[a] - other[a + 2] / 2))
        for a in (0, 1)
    ]  # fmt: skip
    shared = sides[0] * sides[1]
    union = one[2] * one[3] + other[2] * other[3] - shared
    return float(shared / union) if union > 0 else 0.0


def _greedy(
    boxes: np.ndarray, scores: np.ndarray, iou: float, least: float, count: int, *, per_class: bool
) -> list[int]:
    """The places that survive, best first."""
    best, classes = scores.max(axis=1), scores.argmax(axis=1)
    kept: list[int] = []
    for place in np.argsort(-best, kind="stable"):
        if best[place] < least or len(kept) == count:
            break
        rivals = [other for other in kept if not per_class or classes[other] == classes[place]]
        if all(_overlap(boxes[place], boxes[other]) <= iou for other in rivals):
            kept.append(int(place))
    return kept or [int(best.argmax())]


@pytest.mark.parametrize("per_class", [False, True])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**16),
    batch=st.integers(1, 2),
    size=st.integers(1, 12),
    classes=st.integers(1, 3),
    count=st.integers(1, 8),
    iou=st.sampled_from([0.05, 0.2, 0.5]),
    least=st.sampled_from([-1.0, 0.4, 0.9, 2.0]),
)
def test_non_maximum_suppression_keeps_the_best_of_what_overlaps(
    call: Any, seed: int, batch: int, size: int, classes: int, count: int, iou: float, least: float, per_class: bool
) -> None:
    random = np.random.default_rng(seed)
    boxes = random.uniform(1, 10, (batch, size, 4)).astype(np.float32)
    scores = random.uniform(0, 1, (batch, size, classes)).astype(np.float32)

    def want(least: float) -> list[list[int]]:
        return [_greedy(*pair, iou, least, count, per_class=per_class) for pair in zip(boxes, scores, strict=True)]

    results = call("non_maximum_suppression", boxes, scores, iou, least, count, per_class, opset="iOS16")
    chosen_boxes, chosen_scores, places, counts = results
    assert places.dtype == counts.dtype == np.int32
    for image, kept in enumerate(want(least)):
        missing = count - len(kept)
        assert counts[image] == len(kept)
        assert places[image].tolist() == kept + [-1] * missing
        np.testing.assert_array_equal(chosen_boxes[image], np.pad(boxes[image][kept], ((0, missing), (0, 0))))
        np.testing.assert_array_equal(chosen_scores[image], np.pad(scores[image][kept], ((0, missing), (0, 0))))

    swapped = boxes.transpose(0, 2, 1), scores.transpose(0, 2, 1)
    last_boxes, last_scores, last_places = call("non_maximum_suppression", *swapped, iou, count, per_class)
    for image, kept in enumerate(want(-1.0)):
        assert last_places[image].tolist() == kept + [-1] * (count - len(kept))
    assert last_boxes.shape == (batch, 4, count)
    assert last_scores.shape == (batch, classes, count)


def test_boxes_without_area_suppress_nothing(call: Any) -> None:
    boxes = np.repeat(np.arange(4, dtype=np.float32)[:, None], 4, axis=1)[None]
    boxes[..., 2:] = 0
    scores = np.array([[[0.1], [0.9], [0.5], [0.3]]], np.float32)
    _, _, places, counts = call("non_maximum_suppression", boxes, scores, 0.2, 0.2, 4, opset="iOS15")
    assert places.tolist() == [[1, 2, 3, -1]]
    assert counts.tolist() == [3]


@pytest.mark.parametrize(
    ("threshold", "older", "newer"),
    [(0.2, [2, 1, 0], [2, 0, -1]), (0.2 - 1e-4, [2, 0, -1], [2, 0, -1]), (0.2 + 1e-4, [2, 1, 0], [2, 1, 0])],
)
def test_an_overlap_that_equals_the_threshold_suppresses_from_ios17_on(
    call: Any, threshold: float, older: list[int], newer: list[int]
) -> None:
    # [1, 2] x [1, 3] and [0, 2] x [0, 2] share 1 of 5; the first box touches neither.
    boxes = np.array([[[9, 9, 1, 1], [1, 1, 2, 2], [1.5, 2, 1, 2]]], np.float32)
    scores = np.array([[[1], [2], [4]]], np.float32)
    limit = float(np.float32(threshold))
    assert call("non_maximum_suppression", boxes, scores, limit, 0.0, 3, opset="iOS16")[2][0].tolist() == older
    last = (boxes.transpose(0, 2, 1).copy(), scores.transpose(0, 2, 1).copy())
    assert call("non_maximum_suppression", *last, limit, 3)[2][0].tolist() == newer


def test_boxes_apart_are_kept_at_a_threshold_of_zero(call: Any) -> None:
    boxes = np.array([[[0, 9], [0, 9], [2, 2], [2, 2]]], np.float32)
    assert call("non_maximum_suppression", boxes, np.ones((1, 1, 2), np.float32), 0.0, 2)[2][0].tolist() == [0, 1]
