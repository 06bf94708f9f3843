"""Resizing against a loop over the documented sample places, and against torch where it samples the same way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.errors import PackageError

PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)
SIDES = st.integers(1, 9)
MODES = ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "OFFSET_CORNERS", "UNALIGN_CORNERS")


def _place(i: int, size: int, count: int, mode: str) -> float:
    """The documented grid point, in the words of the op's page."""
    if mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        if count == 1:
            return (size - 1) / 2 if mode == "ALIGN_CORNERS" else 0.0
        spacing, offset = (size - 1) / (count - 1), 0.0
    elif mode == "DEFAULT":
        spacing, offset = ((size - size / count) / (count - 1) if count > 1 else 0.0), 0.0
    elif mode == "OFFSET_CORNERS":
        delta = max(1, size - 1) / count
        spacing, offset = delta, 0.5 * delta
    else:
        spacing = size / count
        offset = 0.5 * spacing - 0.5
    return min(size - 1, max(0, i * spacing + offset))


def _linear(x: np.ndarray, sizes: tuple[int, ...], mode: str) -> np.ndarray:
    """Interpolates the last axes one after the other in float64."""
    x = x.astype(np.float64)
    for number, count in enumerate(sizes):
        axis = x.ndim - len(sizes) + number
        size, parts = x.shape[axis], []
        for i in range(count):
            place = _place(i, size, count, mode)
            low, high = math.floor(place), min(math.floor(place) + 1, size - 1)
            parts.append((1 - place + low) * x.take(low, axis) + (place - low) * x.take(high, axis))
        x = np.stack(parts, axis)
    return x


def _image(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _close(result: np.ndarray, want: np.ndarray) -> None:
    assert result.dtype == np.float32
    # Two interpolations in float32 of values near 1.
    np.testing.assert_allclose(result, want, atol=4e-6)


@pytest.mark.parametrize("mode", MODES)
@PROPERTY
@given(lead=st.sampled_from([(2,), (1, 2), (2, 1, 2)]), height=SIDES, width=SIDES, rows=SIDES, columns=SIDES)
def test_resize_bilinear_samples_the_documented_grid(
    call: Any, lead: tuple[int, ...], height: int, width: int, rows: int, columns: int, mode: str
) -> None:
    x = _image((*lead, height, width))
    want = _linear(x, (rows, columns), mode)
    _close(call("resize_bilinear", x, rows, columns, mode), want)
    _close(call("resize", x, (7, rows, columns), 2, "LINEAR", mode), want)


@pytest.mark.parametrize(
    ("mode", "places"),
    [
        ("STRICT_ALIGN_CORNERS", [0, 0.25, 0.5, 0.75, 1]),
        ("ALIGN_CORNERS", [0, 0.25, 0.5, 0.75, 1]),
        ("DEFAULT", [0, 0.4, 0.8, 1, 1]),
        ("OFFSET_CORNERS", [0.1, 0.3, 0.5, 0.7, 0.9]),
        ("UNALIGN_CORNERS", [0, 0.1, 0.5, 0.9, 1]),
    ],
)
def test_the_examples_of_the_page(call: Any, mode: str, places: list[float]) -> None:
    np.testing.assert_allclose(
        call("resize_bilinear", np.array([[[0.0, 1.0]]], np.float32), 1, 5, mode)[0, 0], places, atol=1e-6
    )


@PROPERTY
@given(data=st.data(), shape=st.tuples(st.integers(1, 3), SIDES, SIDES, SIDES), resized=st.integers(0, 4))
def test_resize_takes_the_last_sizes_and_keeps_for_zero(
    call: Any, data: st.DataObject, shape: tuple[int, ...], resized: int
) -> None:
    sizes = data.draw(st.tuples(*[st.integers(0, 6)] * resized))
    result = call("resize", _image(shape), (1, *sizes)[-max(1, resized) :], resized, "LINEAR", "ALIGN_CORNERS")
    kept = tuple(size or old for size, old in zip(sizes, shape[4 - resized :], strict=True))
    _close(result, _linear(_image(shape), kept, "ALIGN_CORNERS"))


def test_resize_of_integers_stays_an_integer(call: Any) -> None:
    result = call("resize", np.array([[0, 10]], np.int32), (1, 4), 1)
    assert result.dtype == np.int32
    assert result.tolist() == [[0, 5, 10, 10]]


@PROPERTY
@given(height=SIDES, width=SIDES, rows=SIDES, columns=SIDES)
def test_nearest_neighbors_by_pixel_centers(call: Any, height: int, width: int, rows: int, columns: int) -> None:
    x = _image((2, height, width))
    down = [(2 * i + 1) * height // (2 * rows) for i in range(rows)]
    across = [(2 * i + 1) * width // (2 * columns) for i in range(columns)]
    want = x[:, down][:, :, across]
    np.testing.assert_array_equal(call("resize_nearest_neighbor", x, rows, columns), want)
    np.testing.assert_array_equal(call("resize", x, (rows, columns), 2, "NEAREST_NEIGHBOR"), want)
    torchs = torch.nn.functional.interpolate(torch.from_numpy(x)[None], size=(rows, columns), mode="nearest-exact")
    np.testing.assert_array_equal(want, torchs[0].numpy())


@pytest.mark.parametrize("mode", ["STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "OFFSET_CORNERS", "UNALIGN_CORNERS"])
@PROPERTY
@given(size=SIDES, count=SIDES)
def test_nearest_neighbors_of_the_sampling_mode(call: Any, size: int, count: int, mode: str) -> None:
    x = np.arange(size, dtype=np.float32)[None]
    distances = [[abs(_place(i, size, count, mode) - element) for element in range(size)] for i in range(count)]
    result = call("resize", x, (count,), 1, "NEAREST_NEIGHBOR", mode)[0]
    for taken, row in zip(result.astype(int), distances, strict=True):
        # Of two that are equally near either will do here.
        assert row[taken] <= min(row) + 1e-9


@PROPERTY
@given(height=SIDES, width=SIDES, scales=st.tuples(*[st.sampled_from([0.5, 0.67, 1.0, 1.12, 2.0, 2.5, 3.0, 3.17])] * 2))
def test_upsample_by_fractions(call: Any, height: int, width: int, scales: tuple[float, float]) -> None:
    sizes = tuple(math.floor(size * scale) for size, scale in zip((height, width), scales, strict=True))
    if 0 in sizes:
        return
    x = _image((1, 2, height, width))
    down = [i * height // sizes[0] for i in range(sizes[0])]
    across = [i * width // sizes[1] for i in range(sizes[1])]
    np.testing.assert_array_equal(call("upsample_nearest_neighbor", x, *scales), x[:, :, down][:, :, :, across])

    given_x = torch.from_numpy(x)
    for opset in ("iOS15", "iOS18"):
        for aligned in (True, False):
            want = torch.nn.functional.interpolate(given_x, size=sizes, mode="bilinear", align_corners=aligned)
            _close(call("upsample_bilinear", x, *scales, aligned, opset=opset), want.numpy())
    _close(call("upsample_bilinear", x, *scales, False, False, opset="iOS16"), _linear(x, sizes, "DEFAULT"))


def test_a_scale_counts_in_float32(call: Any) -> None:
    # In float64 the float32 nearest to 0.7 times 10 is less than 7.
    assert call("upsample_nearest_neighbor", _image((1, 10, 10)), float(np.float32(0.7)), 1.0).shape == (1, 7, 10)


def test_aligned_corners_exclude_half_pixels(call: Any) -> None:
    with pytest.raises(PackageError, match="exclude each other"):
        call("upsample_bilinear", _image((1, 2, 2)), 2.0, 2.0, True, True)


def test_the_default_nearest_neighbor_is_core_mls(call: Any) -> None:
    """From coremltools' test of resize: three rows of two are the first once and the second twice."""
    result = call("resize", np.array([[-6.174], [9.371]], np.float32), (3, 2), 2, "NEAREST_NEIGHBOR", "DEFAULT")
    np.testing.assert_array_equal(result, np.array([[-6.174] * 2, [9.371] * 2, [9.371] * 2], np.float32))


def test_crop_cuts_off_the_rim(call: Any) -> None:
    x = _image((2, 3, 5, 6))
    np.testing.assert_array_equal(call("crop", x, (1, 0), (2, 3)), x[:, :, 1:5, 2:3])


@pytest.mark.parametrize(
    ("interpolation", "sampling"), [("LINEAR", "MIDDLE"), ("NEAREST_NEIGHBOR", "MIDDLE"), ("CUBIC", "DEFAULT")]
)
def test_unknown_modes_are_refused(call: Any, interpolation: str, sampling: str) -> None:
    with pytest.raises(PackageError, match="allowed: "):
        call("resize", _image((1, 2, 2)), (3, 3), 2, interpolation, sampling)
