"""Random ops: shapes, bounds, moments, seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from tinyml.coreml.ops.context import OpContext
from tinyml.coreml.program.types import ValueType
from tinyml.errors import PackageError

MANY = (200, 250)
ANY = OpContext(name="r", opset="iOS15")


def with_generator(seed: int) -> OpContext:
    return OpContext(name="r", opset="iOS15", generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", ["random_bernoulli", "random_normal", "random_uniform"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 1, 3), (1, 2, 3, 1, 2)])
def test_shape_and_seed(call: Any, name: str, shape: tuple[int, ...]) -> None:
    one, two = (call(name, with_generator(5), shape, seed=11) for _ in range(2))
    assert one.shape == shape
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, two)
    if shape == (3,) and name != "random_bernoulli":
        context = with_generator(5)
        first, second = call(name, context, shape), call(name, context, shape)
        assert not np.array_equal(first, second)
        np.testing.assert_array_equal(first, call(name, with_generator(5), shape))
        assert call(name, ANY, shape).shape == shape


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.5, 1.0])
def test_bernoulli(call: Any, probability: float) -> None:
    values = call("random_bernoulli", ANY, MANY, probability, 3)
    assert set(np.unique(values)) <= {0.0, 1.0}
    # five standard deviations of a mean of 50,000
    assert abs(values.mean() - probability) <= 5 * np.sqrt(probability * (1 - probability) / values.size)
    if probability == 0.5:
        np.testing.assert_array_equal(values, call("random_bernoulli", ANY, MANY, seed=3))


def test_normal(call: Any) -> None:
    values = call("random_normal", ANY, MANY, -2.0, 3.0, 4).ravel()
    assert stats.kstest(values, "norm", (-2.0, 3.0)).pvalue > 1e-3
    assert stats.kstest(call("random_normal", ANY, MANY, seed=4).ravel(), "norm").pvalue > 1e-3
    np.testing.assert_array_equal(call("random_normal", ANY, (4,), 1.5, 0.0), [1.5] * 4)


@pytest.mark.parametrize("dtype", ["fp16", "fp32"])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 5.0), (1000.0, 1000.5)])
def test_uniform(call: Any, dtype: str, low: float, high: float) -> None:
    context = OpContext(name="r", opset="iOS15", outputs=(ValueType(dtype=dtype, shape=MANY),))
    values = call("random_uniform", context, MANY, low, high, 6).ravel()
    assert values.min() >= low
    assert values.max() < high
    assert values.dtype == np.float32
    if dtype == "fp16":
        np.testing.assert_array_equal(values, values.astype(np.float16))
    if not (dtype == "fp16" and high - low < 1):  # there are but one or two values of fp16 near 1000
        assert stats.kstest(values, "uniform", (low, high - low)).pvalue > 1e-3
    np.testing.assert_array_equal(call("random_uniform", context, (3,), 0.5, 0.5), [0.5] * 3)


@pytest.mark.parametrize("mode", ["logits", "probs"])
def test_categorical(call: Any, mode: str) -> None:
    probabilities = np.array([[0.1, 0.2, 0.7], [0.6, 0.4, 0.0]], np.float32)
    with np.errstate(divide="ignore"):
        x = np.log(probabilities) + 3 if mode == "logits" else probabilities
    size = 20_000
    drawn = call("random_categorical", ANY, x, mode, size, 8)
    assert drawn.shape == (2, size)
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(drawn, call("random_categorical", ANY, x, mode, size, 8))
    for row, expected in zip(drawn, probabilities, strict=True):
        share = np.bincount(row.astype(int), minlength=3) / size
        # five standard deviations, at most
        np.testing.assert_allclose(share, expected, atol=5 * 0.5 / np.sqrt(size))


def test_categorical_draws_once_from_logits_by_default(call: Any) -> None:
    x = np.array([[[0.0, 100.0]], [[100.0, 0.0]]], np.float32)
    np.testing.assert_array_equal(call("random_categorical", ANY, x), [[[1]], [[0]]])
    np.testing.assert_array_equal(call("random_categorical", ANY, np.array([1.0], np.float32), size=4), [0] * 4)
    with pytest.raises(PackageError, match="mode of random_categorical: 'odds'; allowed: logits, probs"):
        call("random_categorical", ANY, x, "odds")
