"""Sampling against loops over pixels, torch's affine grids, and outputs of Core ML."""

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
SIDES = st.integers(1, 5)
COORDINATES = ("unnormalized", "normalized_minus_one_to_one", "normalized_zero_to_one")
PADDINGS = ("constant", "border", "reflection", "symmetric")


def _image(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _mirrored(place: float, low: float, high: float) -> float:
    """Reflects at one bound after the other until inside."""
    if low == high:
        return low
    while not low <= place <= high:
        place = 2 * low - place if place < low else 2 * high - place
    return place


def _pixels(place: float, size: int, mode: str, *, aligned: bool) -> float:
    if mode == "unnormalized":
        return place
    share = (place + 1) / 2 if mode == "normalized_minus_one_to_one" else place
    return share * (size - 1) if aligned else share * size - 0.5


def _value(image: np.ndarray, y: float, x: float, *, nearest: bool, padding: str, fill: float) -> np.ndarray:
    """[C] at a place in pixels."""
    height, width = image.shape[-2:]
    if padding == "reflection":
        y, x = _mirrored(y, 0, height - 1), _mirrored(x, 0, width - 1)
    if padding == "symmetric":
        y, x = _mirrored(y, -0.5, height - 0.5), _mirrored(x, -0.5, width - 0.5)
    if padding != "constant":
        y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)

    def pixel(row: int, column: int) -> np.ndarray:
        inside = 0 <= row < height and 0 <= column < width
        return image[:, row, column] if inside else np.full(image.shape[0], fill)

    if nearest:
        return pixel(round(y), round(x))
    top, left = math.floor(y), math.floor(x)
    total = np.zeros(image.shape[0])
    for row, down in ((top, 1 - y + top), (top + 1, y - top)):
        for column, across in ((left, 1 - x + left), (left + 1, x - left)):
            if down * across:
                total += down * across * pixel(row, column)
    return total


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("mode", COORDINATES)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 999),
    height=SIDES,
    width=SIDES,
    aligned=st.booleans(),
    nearest=st.booleans(),
    fill=st.sampled_from([0.0, 6.25]),
)
def test_resample_is_a_loop_over_places(
    call: Any, seed: int, height: int, width: int, aligned: bool, nearest: bool, fill: float, mode: str, padding: str
) -> None:
    x = _image((2, 3, height, width))
    scale = 6 if mode == "unnormalized" else 2
    # Sixteenths are exact, so that halves round the same way here and there.
    places = np.random.default_rng(seed).integers(-16 * scale, 16 * scale, (2, 2, 3, 2)) / 16
    kind = "nearest" if nearest else "bilinear"
    result = call("resample", x, places.astype(np.float32), kind, padding, fill, mode, aligned)
    want = np.empty((2, 3, 2, 3))
    for image, row, column in np.ndindex(2, 2, 3):
        across = _pixels(places[image, row, column, 0], width, mode, aligned=aligned)
        down = _pixels(places[image, row, column, 1], height, mode, aligned=aligned)
        want[image, :, row, column] = _value(x[image], down, across, nearest=nearest, padding=padding, fill=fill)
    # Two interpolations in float32 of values near 1 (and of the fill value).
    np.testing.assert_allclose(result, want, atol=1e-5)


OUTPUTS_OF_CORE_ML = [
    (("bilinear", "constant", 6.17, "normalized_minus_one_to_one", True), [8.585, 6.17, 27.5, 6.17]),
    (("nearest", "border", -1.0, "unnormalized", False), [11, 11, 11, 44]),
    (("bilinear", "reflection", -1.0, "normalized_zero_to_one", True), [22, 36.3, 11, 34.1]),
    (("nearest", "symmetric", -1.0, "normalized_zero_to_one", False), [22, 33, 11, 33]),
]
"""From coremltools' tests of resample."""


@pytest.mark.parametrize(("attributes", "want"), OUTPUTS_OF_CORE_ML)
def test_resample_gives_what_core_ml_gives(call: Any, attributes: tuple[Any, ...], want: list[float]) -> None:
    x = np.array([[[[11, 22], [33, 44]]]], np.float32)
    places = np.array([[[[-1, -2], [-3.7, -1]], [[0, 0], [3.5, 1.2]]]], np.float32)
    np.testing.assert_allclose(call("resample", x, places, *attributes).reshape(-1), want, rtol=1e-5)


def test_places_without_a_number_do_no_harm(call: Any) -> None:
    places = np.array([[[[np.nan, np.inf], [1e30, -1e30]]]], np.float32)
    result = call("resample", _image((1, 1, 2, 2)), places, "bilinear", "constant", 5.0, "unnormalized", True)
    assert result[0, 0, 0, 1] == 5.0


@pytest.mark.filterwarnings("ignore:Since version 1.3.0:UserWarning")
@PROPERTY
@given(
    seed=st.integers(0, 999),
    images=st.integers(1, 2),
    shared=st.booleans(),
    size=st.tuples(SIDES, SIDES),
    aligned=st.booleans(),
)
def test_affine_is_a_resampled_grid(
    call: Any, seed: int, images: int, shared: bool, size: tuple[int, int], aligned: bool
) -> None:
    x = _image((images, 2, 4, 3))
    matrix = np.random.default_rng(seed).normal(size=(1 if shared else images, 6)).astype(np.float32)
    theta = torch.from_numpy(matrix).reshape(-1, 2, 3).expand(images, -1, -1)
    grid = torch.nn.functional.affine_grid(theta, [images, 2, *size], align_corners=aligned)
    want = torch.nn.functional.grid_sample(torch.from_numpy(x), grid, align_corners=aligned)
    result = call("affine", x, matrix, *size, "bilinear", "constant", 0.0, "normalized_minus_one_to_one", aligned)
    np.testing.assert_allclose(result, want.numpy(), atol=5e-5)


@pytest.mark.parametrize(
    "inputs",
    [
        ("cubic", "border", 0.0, "unnormalized", True),
        ("nearest", "wrap", 0.0, "unnormalized", True),
        ("nearest", "border", 0.0, "pixels", True),
    ],
)
def test_unknown_modes_are_refused(call: Any, inputs: tuple[Any, ...]) -> None:
    with pytest.raises(PackageError, match="allowed: "):
        call("resample", _image((1, 1, 2, 2)), np.zeros((1, 1, 1, 2), np.float32), *inputs)
