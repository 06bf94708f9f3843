"""Activations against their formulas in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tinyml.errors import PackageError

PROPERTY = settings(max_examples=20, deadline=None, derandomize=True)

FORMULAS = {
    "clamped_relu": lambda x, a, b: np.minimum(np.where(x >= 0, x, a * x), b),
    "elu": lambda x, a: np.where(x > 0, x, a * np.expm1(x)),
    "leaky_relu": lambda x, a: np.where(x >= 0, x, a * x),
    "linear_activation": lambda x, a, b: a * x + b,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "scaled_tanh": lambda x, a, b: a * np.tanh(b * x),
    "sigmoid": special.expit,
    "sigmoid_hard": lambda x, a, b: np.clip(a * x + b, 0, 1),
    "silu": lambda x: x * special.expit(x),
    "softplus": lambda x: np.logaddexp(0, x),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "thresholded_relu": lambda x, a: np.where(x >= a, x, 0),
}


@st.composite
def tensors(draw: st.DrawFn, min_rank: int = 0, max_rank: int = 5, scale: float = 4.0) -> np.ndarray:
    shape = draw(st.lists(st.integers(1, 4), min_size=min_rank, max_size=max_rank))
    values = np.random.default_rng(draw(st.integers(0, 2**16))).standard_normal(shape) * scale
    return np.asarray(values, np.float32)


@pytest.mark.parametrize("name", FORMULAS)
@PROPERTY
@given(data=st.data())
def test_activation(call: Any, name: str, data: st.DataObject) -> None:
    formula = FORMULAS[name]
    count = formula.__code__.co_argcount - 1 if hasattr(formula, "__code__") else 0
    coefficients = [data.draw(st.sampled_from((-1.5, -0.25, 0.0, 0.5, 2.0, 6.0))) for _ in range(count)]
    x = data.draw(tensors())
    result = call(name, x, *coefficients)
    assert result.dtype == np.float32
    # float32 arithmetic, a few roundings of values up to about 30
    np.testing.assert_allclose(result, formula(x.astype(np.float64), *coefficients), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize(
    ("mode", "formula"),
    [
        ("EXACT", lambda x: 0.5 * x * (1 + special.erf(x / np.sqrt(2)))),
        ("TANH_APPROXIMATION", lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
        ("SIGMOID_APPROXIMATION", lambda x: x * special.expit(1.702 * x)),
    ],
)
@PROPERTY
@given(x=tensors())
def test_gelu(call: Any, mode: str, formula: Any, x: np.ndarray) -> None:
    # 1 + erf loses up to 1e-7 of an x of about 10
    np.testing.assert_allclose(call("gelu", x, mode), formula(x.astype(np.float64)), rtol=2e-6, atol=2e-6)


def test_gelu_is_exact_by_default_and_refuses_other_modes(call: Any) -> None:
    x = np.linspace(-3, 3, 7, dtype=np.float32)
    np.testing.assert_array_equal(call("gelu", x), call("gelu", x, "EXACT"))
    with pytest.raises(PackageError, match="mode of gelu: 'FAST'; allowed: EXACT"):
        call("gelu", x, "FAST")


@PROPERTY
@given(x=tensors(min_rank=3))
def test_prelu_and_softplus_parametric_have_coefficients_by_channel(call: Any, x: np.ndarray) -> None:
    channels = x.shape[1]
    alpha = np.linspace(-1, 2, channels, dtype=np.float32)
    beta = np.linspace(0.5, 1.5, channels, dtype=np.float32)
    prelu, softplus = call("prelu", x, alpha), call("softplus_parametric", x, alpha, beta)
    for c in range(channels):
        values = x[:, c].astype(np.float64)
        np.testing.assert_allclose(prelu[:, c], np.where(values > 0, values, alpha[c] * values), rtol=1e-6)
        expected = alpha[c] * np.logaddexp(0, beta[c] * values)
        np.testing.assert_allclose(softplus[:, c], expected, rtol=1e-5, atol=1e-6)


@PROPERTY
@given(data=st.data(), x=tensors(min_rank=1, scale=30.0))
def test_softmax(call: Any, data: st.DataObject, x: np.ndarray) -> None:
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    result = call("softmax", x, axis)
    np.testing.assert_allclose(result, special.softmax(x.astype(np.float64), axis), rtol=1e-5, atol=1e-30)
    np.testing.assert_array_equal(call("softmax", x), call("softmax", x, -1))


def test_large_values_overflow_nowhere(call: Any) -> None:
    x = np.array([-1e4, -100, 100, 1e4], np.float32)
    np.testing.assert_allclose(call("softplus", x), [0, 0, 100, 1e4], atol=1e-30)
    np.testing.assert_allclose(call("sigmoid", x), [0, 0, 1, 1], atol=1e-30)
    np.testing.assert_allclose(call("silu", x), [0, 0, 100, 1e4], atol=1e-30)
    np.testing.assert_array_equal(call("softmax", x), [0, 0, 0, 1])
