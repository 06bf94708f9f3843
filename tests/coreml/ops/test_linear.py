"""Products of matrices against numpy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), np.float32)


@PROPERTY
@given(
    lead=st.lists(st.integers(1, 3), max_size=3),
    inputs=st.integers(1, 6),
    outputs=st.integers(1, 6),
    biased=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_linear(call: Any, lead: list[int], inputs: int, outputs: int, biased: bool, seed: int) -> None:
    x, weight = normal(seed, *lead, inputs), normal(seed + 1, outputs, inputs)
    bias = normal(seed + 2, outputs) if biased else None
    expected = np.einsum("...i,oi->...o", x.astype(np.float64), weight.astype(np.float64))
    result = call("linear", x, weight, bias)
    # sums of six products of order 1 in float32
    np.testing.assert_allclose(result, expected if bias is None else expected + bias, rtol=1e-5, atol=1e-5)


def test_linear_of_integers_and_of_mixed_types(call: Any) -> None:
    x, weight, bias = np.array([[1, -2]], np.int32), np.array([[3, 4], [5, -6]], np.int32), np.array([1, 2], np.int32)
    result = call("linear", x, weight, bias)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, [[-4, 19]])
    mixed = call("linear", x.astype(np.float32), weight, bias)
    assert mixed.dtype == np.float32
    np.testing.assert_array_equal(mixed, [[-4, 19]])
    halves = call("linear", x, weight.astype(np.float32) / 2, bias)  # the program's type cuts off the fraction
    np.testing.assert_array_equal(halves, [[-1.5, 10.5]])


@PROPERTY
@given(data=st.data(), seed=st.integers(0, 2**16))
def test_matmul(call: Any, data: st.DataObject, seed: int) -> None:
    rows, inner, columns = (data.draw(st.integers(1, 4)) for _ in range(3))
    batch = data.draw(st.lists(st.integers(1, 3), max_size=3))
    x_batch = [size if data.draw(st.booleans()) else 1 for size in batch]
    y_batch = [n if m == 1 or data.draw(st.booleans()) else 1 for n, m in zip(batch, x_batch, strict=True)]
    y_batch = y_batch[data.draw(st.integers(0, len(y_batch))) :]
    transpose_x, transpose_y = data.draw(st.booleans()), data.draw(st.booleans())
    x, y = normal(seed, *x_batch, rows, inner), normal(seed + 1, *y_batch, inner, columns)
    expected = np.matmul(x.astype(np.float64), y.astype(np.float64))
    given_x = x.swapaxes(-1, -2) if transpose_x else x
    given_y = y.swapaxes(-1, -2) if transpose_y else y
    result = call("matmul", given_x, given_y, transpose_x, transpose_y)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


def test_matmul_of_vectors_and_of_integers(call: Any) -> None:
    a, b, m = normal(0, 3), normal(1, 3), normal(2, 2, 3, 4)
    np.testing.assert_allclose(call("matmul", a, b), a @ b, rtol=1e-5)
    np.testing.assert_allclose(call("matmul", a, m, transpose_x=True), a @ m, rtol=1e-5)
    np.testing.assert_allclose(call("matmul", m, normal(3, 4), transpose_y=True), m @ normal(3, 4), rtol=1e-5)
    counts = np.arange(6, dtype=np.int32).reshape(2, 3)
    result = call("matmul", counts, counts, transpose_y=True)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, counts @ counts.T)
    np.testing.assert_array_equal(call("matmul", counts.astype(np.float32), counts.T), counts @ counts.T)


@pytest.mark.parametrize(
    ("equation", "broadcast"),
    [("nchw,nwhu->nchu", True), ("chw,whr->chr", True), ("abcd,adce->abce", True), ("bij,bjk->bik", False)],
)
@PROPERTY
@given(sizes=st.lists(st.integers(2, 4), min_size=6, max_size=6), data=st.data(), seed=st.integers(0, 2**16))
def test_einsum(call: Any, equation: str, broadcast: bool, sizes: list[int], data: st.DataObject, seed: int) -> None:
    left, right = equation.split("->")[0].split(",")
    letters = dict(zip(sorted(set(left + right)), sizes, strict=False))
    shapes = [[letters[letter] for letter in term] for term in (left, right)]
    if broadcast:  # the dimension of the third-last place (and of the first of four) may be 1 in one operand
        for place in {len(left) - 2, len(left) - 4} & {0, 1, 2}:
            if left[place] == right[place]:
                which = data.draw(st.sampled_from((None, 0, 1)))
                if which is not None:
                    shapes[which][place] = 1
    x, y = normal(seed, *shapes[0]), normal(seed + 1, *shapes[1])
    full = [[letters[letter] for letter in term] for term in (left, right)]
    expected = np.einsum(
        equation, np.broadcast_to(x, full[0]).astype(np.float64), np.broadcast_to(y, full[1]).astype(np.float64)
    )
    np.testing.assert_allclose(call("einsum", (x, y), equation), expected, rtol=1e-5, atol=1e-5)
