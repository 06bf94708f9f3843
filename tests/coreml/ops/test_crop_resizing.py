"""crop_resize against a loop over boxes, and against outputs of Core ML."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.errors import PackageError

SIDES = st.integers(1, 5)


def _image(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _interpolated(image: np.ndarray, y: float, x: float) -> np.ndarray:
    """[C] at a place within the image."""
    top, left = math.floor(y), math.floor(x)
    down, across = y - top, x - left
    padded = np.pad(image, ((0, 0), (0, 1), (0, 1)), "edge")
    upper = (1 - across) * padded[:, top, left] + across * padded[:, top, left + 1]
    lower = (1 - across) * padded[:, top + 1, left] + across * padded[:, top + 1, left + 1]
    return np.asarray((1 - down) * upper + down * lower)


def _corners(box: np.ndarray, mode: str) -> tuple[float, float, float, float]:
    """Top, left, bottom, right."""
    if mode.endswith("WIDTH_FIRST"):
        box = box[[1, 0, 3, 2]]
    if mode.startswith("CENTER"):
        return tuple(np.concatenate([box[:2] - box[2:] / 2, box[:2] + box[2:] / 2]))
    return tuple(box)


PLACES: dict[str, Callable[[float, float, int, int], float]] = {
    "ALIGN_CORNERS": lambda s, e, m, i: s + i * (e - s) / (m - 1) if m > 1 else (s + e) / 2,
    "STRICT_ALIGN_CORNERS": lambda s, e, m, i: s + i * (e - s) / (m - 1) if m > 1 else s,
    "DEFAULT": lambda s, e, m, i: min(e, s + i * (e - s + 1) / m),
    "OFFSET_CORNERS": lambda s, e, m, i: s + (i + 0.5) * max(1, e - s) / m,
    "UNALIGN_CORNERS": lambda s, e, m, i: min(e, max(s, s + (i + 0.5) * (e - s + 1) / m - 0.5)),
}
BOX_MODES = ("CORNERS_HEIGHT_FIRST", "CORNERS_WIDTH_FIRST", "CENTER_SIZE_HEIGHT_FIRST", "CENTER_SIZE_WIDTH_FIRST")


@pytest.mark.parametrize("sampling", PLACES)
@pytest.mark.parametrize("box_mode", BOX_MODES)
@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 999), normalized=st.booleans(), size=st.tuples(SIDES, SIDES), scale=st.sampled_from([1.0, 0.5])
)
def test_crop_resize_is_a_loop_over_boxes(
    call: Any, seed: int, normalized: bool, size: tuple[int, int], scale: float, box_mode: str, sampling: str
) -> None:
    random = np.random.default_rng(seed)
    x = _image((2, 3, 5, 6))
    low, high = random.integers(0, 8, (2, 4, 2)) / 8 * 3
    low, high = np.minimum(low, high), np.maximum(low, high)
    boxes = np.concatenate([(low + high) / 2, high - low] if "CENTER" in box_mode else [low, high], axis=1)
    if normalized:
        boxes = boxes / 4
    boxes = boxes.astype(np.float32)
    images = random.integers(0, 2, 4).astype(np.int32)
    options = (*size, normalized, scale, box_mode, sampling)
    result = call("crop_resize", x, boxes, images, *options, 7.0)

    want = np.empty((2, 4, 3, *size))
    for image, (number, box) in ((i, item) for i in range(2) for item in enumerate(boxes.astype(np.float64) * scale)):
        top, left, bottom, right = _corners(box, box_mode)
        if normalized:
            top, bottom, left, right = top * 4, bottom * 4, left * 5, right * 5
        for row, column in np.ndindex(*size):
            y, across = PLACES[sampling](top, bottom, size[0], row), PLACES[sampling](left, right, size[1], column)
            inside = 0 <= y <= 4 and 0 <= across <= 5
            want[image, number, :, row, column] = _interpolated(x[image], y, across) if inside else 7.0
    np.testing.assert_allclose(result, want[images, range(4)], atol=1e-5)

    rois = boxes.reshape(4, 1, 4, 1, 1)
    everywhere = call("crop_resize", x, rois, *options, 7.0, opset="iOS16")
    np.testing.assert_allclose(everywhere, want.transpose(1, 0, 2, 3, 4), atol=1e-5)
    numbered = np.concatenate([images.astype(np.float32).reshape(4, 1, 1, 1, 1), rois], axis=2)
    single = call("crop_resize", x, numbered, *options, 7.0, opset="iOS16")
    np.testing.assert_allclose(single[:, 0], want[images, range(4)], atol=1e-5)


def test_crop_resize_gives_what_core_ml_gives(call: Any) -> None:
    """Values from coremltools' tests of crop_resize: boxes beyond the image, and boxes from end to start."""
    x = np.arange(1, 17, dtype=np.float32).reshape(1, 1, 4, 4)
    boxes = np.array([[0.1, 0.3, 1.3, 1.0], [0.5, 1.8, 1.0, 0.3], [0.0, 0.4, 0.6, 0.7]], np.float32)
    result = call("crop_resize", x, boxes, np.zeros(3, np.int32), 2, 2, True, 1.0, BOX_MODES[0], "ALIGN_CORNERS", 10.0)
    want = [3.1, 5.2, 10.0, 10.0, 10.0, 7.9, 10.0, 13.9, 2.2, 3.1, 9.4, 10.3]
    np.testing.assert_allclose(result.reshape(-1), want, rtol=1e-5)

    def roi(*box: float) -> np.ndarray:
        return np.array(box, np.float32).reshape(1, 1, -1, 1, 1)

    def cropped(box: np.ndarray, side: int, normalized: bool, sampling: str) -> list[float]:
        found = call("crop_resize", x, box, side, side, normalized, 1.0, BOX_MODES[0], sampling, opset="iOS15")
        assert found.shape == (1, 1, 1, side, side)
        return [round(float(value), 4) for value in found.reshape(-1)]

    assert cropped(roi(1, 1, 2, 2), 2, False, "ALIGN_CORNERS") == [6, 7, 10, 11]
    assert cropped(roi(1, 1, 2, 2), 1, False, "ALIGN_CORNERS") == [8.5]
    assert cropped(roi(0, 0, 0, 1 / 3, 1 / 3), 2, True, "ALIGN_CORNERS") == [1, 2, 5, 6]
    assert cropped(roi(2, 2, 1, 1), 2, False, "ALIGN_CORNERS") == [11, 10, 7, 6]
    assert cropped(roi(2, 2, 1, 1), 2, True, "UNALIGN_CORNERS") == [3.5, 5.5, 11.5, 13.5]


def test_box_i_is_for_image_i(call: Any) -> None:
    x = _image((3, 1, 2, 2))
    boxes = np.array([[0, 0, 1, 1]] * 3, np.float32)
    result = call("crop_resize", x, boxes, target_height=2, target_width=2, sampling_mode="ALIGN_CORNERS")
    np.testing.assert_array_equal(result, x)


@pytest.mark.parametrize("modes", [("CORNERS", "DEFAULT"), (BOX_MODES[0], "NEAREST")])
def test_unknown_modes_of_boxes_are_refused(call: Any, modes: tuple[str, str]) -> None:
    with pytest.raises(PackageError, match="allowed: "):
        call("crop_resize", _image((1, 1, 2, 2)), np.zeros((1, 4), np.float32), None, 2, 2, False, 1.0, *modes)


@pytest.mark.parametrize("number", [-1, 2])
def test_a_box_of_an_image_that_is_not_there_is_refused(call: Any, number: int) -> None:
    images = np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2)
    with pytest.raises(IndexError, match="out of bounds"):
        call("crop_resize", images, np.zeros((1, 4), np.float32), np.array([number], np.int32))
