"""Normalizations against their formulas in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
# float32 sums over up to 625 values of order 1, divided by deviations of order 1
CLOSE: dict[str, Any] = {"rtol": 2e-5, "atol": 2e-5}


@st.composite
def images(draw: st.DrawFn, min_rank: int = 3, max_rank: int = 5) -> np.ndarray:
    shape = draw(st.lists(st.integers(1, 5), min_size=min_rank, max_size=max_rank))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return np.asarray(rng.standard_normal(shape) * 2 + 1, np.float32)


def channelwise(vector: np.ndarray, x: np.ndarray) -> np.ndarray:
    return vector.reshape(-1, *[1] * (x.ndim - 2)).astype(np.float64)


def vectors(x: np.ndarray, count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(x.size)
    return [rng.uniform(0.5, 2.0, (x.shape[1],)).astype(np.float32) for _ in range(count)]


@PROPERTY
@given(x=images(), affine=st.booleans(), epsilon=st.sampled_from((None, 1e-3, 0.1)))
def test_batch_norm(call: Any, x: np.ndarray, affine: bool, epsilon: float | None) -> None:
    mean, variance, gamma, beta = vectors(x, 4)
    given_affine = {"gamma": gamma, "beta": beta} if affine else {}
    given_epsilon = {} if epsilon is None else {"epsilon": epsilon}
    result = call("batch_norm", x, mean, variance, **given_affine, **given_epsilon)
    m, v, g, b = (channelwise(vector, x) for vector in (mean, variance, gamma, beta))
    expected = (x - m) / np.sqrt(v + (1e-5 if epsilon is None else epsilon))
    np.testing.assert_allclose(result, expected * g + b if affine else expected, **CLOSE)


@PROPERTY
@given(x=images(max_rank=4), affine=st.booleans(), epsilon=st.sampled_from((1e-5, 1e-3, 0.1)))
def test_instance_norm(call: Any, x: np.ndarray, affine: bool, epsilon: float) -> None:
    gamma, beta = vectors(x, 2)
    result = call("instance_norm", x, **({"gamma": gamma, "beta": beta} if affine else {}), epsilon=epsilon)
    spatial = tuple(range(2, x.ndim))
    wide = x.astype(np.float64)
    centered = wide - wide.mean(spatial, keepdims=True)
    expected = centered / np.sqrt(wide.var(spatial, keepdims=True) + epsilon)
    if affine:
        expected = expected * channelwise(gamma, x) + channelwise(beta, x)
    # Of few values that are nearly equal, float32 leaves some of the mean in the numerator.
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=2e-4)


@PROPERTY
@given(x=images(), epsilon=st.sampled_from((1e-6, 0.1)))
def test_l2_norm(call: Any, x: np.ndarray, epsilon: float) -> None:
    wide = x.astype(np.float64).reshape(*x.shape[:-3], -1)
    expected = wide / np.sqrt((wide**2).sum(-1, keepdims=True) + epsilon)
    np.testing.assert_allclose(call("l2_norm", x, epsilon), expected.reshape(x.shape), **CLOSE)


@PROPERTY
@given(x=images(min_rank=1), affine=st.booleans(), data=st.data())
def test_layer_norm(call: Any, x: np.ndarray, affine: bool, data: st.DataObject) -> None:
    axes = data.draw(st.none() | st.sets(st.integers(0, x.ndim - 1), min_size=1))
    over = tuple(range(x.ndim)) if axes is None else tuple(sorted(axes))
    written = None if axes is None else tuple(a - x.ndim if data.draw(st.booleans()) else a for a in reversed(over))
    normalized = [x.shape[axis] for axis in over]
    rng = np.random.default_rng(7)
    gamma, beta = (np.asarray(rng.uniform(0.5, 2, normalized), np.float32) for _ in range(2))
    result = call("layer_norm", x, written, *((gamma, beta) if affine else (None, None)), epsilon=1e-2)
    wide = x.astype(np.float64)
    expected = (wide - wide.mean(over, keepdims=True)) / np.sqrt(wide.var(over, keepdims=True) + 1e-2)
    if affine:
        shape = [n if axis in over else 1 for axis, n in enumerate(x.shape)]
        expected = expected * gamma.reshape(shape) + beta.reshape(shape)
    np.testing.assert_allclose(result, expected, **CLOSE)


def test_layer_norm_has_a_default_epsilon(call: Any) -> None:
    x = np.array([1.0, 1.001], np.float32)
    wide = x.astype(np.float64)
    expected = (wide - wide.mean()) / np.sqrt(wide.var() + 1e-5)
    np.testing.assert_allclose(call("layer_norm", x), expected, rtol=1e-3)


@PROPERTY
@given(
    x=images(max_rank=4),
    size=st.integers(1, 5),
    alpha=st.sampled_from((1e-4, 0.5)),
    beta=st.sampled_from((0.75, 0.5)),
    k=st.sampled_from((1.0, 2.0)),
)
def test_local_response_norm(call: Any, x: np.ndarray, size: int, alpha: float, beta: float, k: float) -> None:
    wide = x.astype(np.float64)
    expected = np.empty_like(wide)
    for channel in range(x.shape[1]):
        first = channel - size // 2
        near = wide[:, max(first, 0) : max(first + size, 0)]
        expected[:, channel] = wide[:, channel] / (k + alpha / size * (near**2).sum(1)) ** beta
    np.testing.assert_allclose(call("local_response_norm", x, size, alpha, beta, k), expected, **CLOSE)
