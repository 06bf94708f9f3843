"""Pools against a loop over windows."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.errors import PackageError

PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)


def windows(size: int, kernel: int, stride: int, before: int, after: int, ceil_mode: bool) -> int:
    """The number of windows, by the formulas of the op's page."""
    if not ceil_mode:
        return math.floor((size + before + after - kernel) / stride) + 1
    count = math.ceil((size + before + after - kernel) / stride) + 1
    if (count - 1) * stride >= size + before and before + after > 0:
        count -= 1
    return count


def pooled(x: np.ndarray, layer: dict[str, Any], reduce: Any) -> np.ndarray:
    """`reduce(values, how many padded elements the window also has)` of each window."""
    kernel, strides, kind, pads = layer["kernel_sizes"], layer["strides"], layer["pad_type"], layer["pad"]
    before, counts, limits = [], [], []
    for i, (size, k, s) in enumerate(zip(x.shape[2:], kernel, strides, strict=True)):
        b, a = (pads[2 * i], pads[2 * i + 1]) if kind == "custom" else (0, 0)
        if kind.startswith("same"):
            total = max(0, (math.ceil(size / s) - 1) * s + k - size)
            b, a = total // 2, total - total // 2
            b, a = (b, a) if kind == "same" else (a, b)
        before.append(b)
        counts.append(windows(size, k, s, b, a, layer["ceil_mode"]))
        limits.append(size + a)
    result = np.zeros((*x.shape[:2], *counts))
    for place in itertools.product(*map(range, counts)):
        starts = [p * s - b for p, s, b in zip(place, strides, before, strict=True)]
        ends = [min(start + k, limit) for start, k, limit in zip(starts, kernel, limits, strict=True)]
        inside: tuple[Any, ...] = tuple(
            slice(max(start, 0), max(min(end, size), 0))
            for start, end, size in zip(starts, ends, x.shape[2:], strict=True)
        )
        for n, c in itertools.product(range(x.shape[0]), range(x.shape[1])):
            values = x[(n, c, *inside)].ravel()
            area = math.prod(max(0, end - start) for start, end in zip(starts, ends, strict=True))
            result[(n, c, *place)] = reduce(values, area - len(values))
    return result


@st.composite
def layers(draw: st.DrawFn, max_rank: int = 3) -> dict[str, Any]:
    rank = draw(st.integers(1, max_rank))
    kernel = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    kind = draw(st.sampled_from(("valid", "same", "same_lower", "custom")))
    ceil_mode = draw(st.booleans()) and rank < 3 and kind in ("valid", "custom")
    # A pad of a whole window would leave windows without an element.
    ahead = [draw(st.integers(0, k - 1)) for k in kernel]
    behind = ahead if ceil_mode else [draw(st.integers(0, k - 1)) for k in kernel]
    sizes = [draw(st.integers(k, 7)) for k in kernel]
    strides = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    if ceil_mode:  # else windows may lie outside the input, which a test of its own covers
        strides = tuple(min(s, k) for s, k in zip(strides, kernel, strict=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return {
        "x": rng.standard_normal([draw(st.integers(1, 2)), 2, *sizes]).astype(np.float32),
        "kernel_sizes": kernel,
        "strides": strides,
        "pad_type": kind,
        "pad": tuple(itertools.chain(*zip(ahead, behind, strict=True))),
        "ceil_mode": ceil_mode,
    }


@PROPERTY
@given(layer=layers())
def test_max_pool(call: Any, layer: dict[str, Any]) -> None:
    expected = pooled(layer["x"], layer, lambda values, _: values.max())
    np.testing.assert_array_equal(call("max_pool", **layer), expected.astype(np.float32))


@PROPERTY
@given(layer=layers(), exclude=st.booleans())
def test_avg_pool(call: Any, layer: dict[str, Any], exclude: bool) -> None:
    def mean(values: np.ndarray, padding: int) -> float:
        return float(values.sum(dtype=np.float64) / (len(values) + (0 if exclude else padding)))

    result = call("avg_pool", **layer, exclude_padding_from_average=exclude)
    np.testing.assert_allclose(result, pooled(layer["x"], layer, mean), rtol=1e-5, atol=1e-6)


@PROPERTY
@given(layer=layers(max_rank=2))
def test_l2_pool(call: Any, layer: dict[str, Any]) -> None:
    expected = pooled(layer["x"], layer, lambda values, _: np.sqrt(np.sum(np.square(values, dtype=np.float64))))
    np.testing.assert_allclose(call("l2_pool", **layer), expected, rtol=1e-5, atol=1e-6)


def test_padding_counts_in_the_mean_by_default(call: Any) -> None:
    x = np.array([[[1, 2]]], np.float32)
    np.testing.assert_array_equal(call("avg_pool", x, (2,), "same_lower"), [[[0.5, 1.5]]])
    np.testing.assert_array_equal(call("avg_pool", x, (2,), "same"), [[[1.5, 1.0]]])


@pytest.mark.parametrize("exclude", [False, True])
def test_a_kernel_may_be_larger_than_its_input_in_three_dimensions(call: Any, exclude: bool) -> None:
    x = np.ones((1, 1, 2, 2, 2), np.float32)
    found = call("avg_pool", x, (3, 3, 3), "custom", (1, 1, 1), (1,) * 6, exclude)
    np.testing.assert_allclose(found, np.full((1, 1, 2, 2, 2), 1 if exclude else 8 / 27), rtol=1e-6)


def test_a_window_beyond_an_unpadded_input_is_kept(call: Any) -> None:
    # The page's rule drops such a window of padded inputs alone; torch drops it always.
    x = np.arange(5, dtype=np.float32).reshape(1, 1, 5)
    layer: dict[str, Any] = {"kernel_sizes": (1,), "strides": (3,), "pad_type": "valid", "ceil_mode": True}
    np.testing.assert_array_equal(call("max_pool", x, **layer), [[[0, 3, -np.inf]]])
    np.testing.assert_array_equal(call("avg_pool", x, **layer), [[[0, 3, 0]]])


def test_other_ranks_are_refused(call: Any) -> None:
    with pytest.raises(PackageError, match="pool of an input of rank: 2; allowed: 3, 4, 5"):
        call("max_pool", np.ones((2, 2), np.float32), (), "valid")
